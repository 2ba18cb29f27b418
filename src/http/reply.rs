//! What a handler leaves behind: a reply, or what will make one once the disk has what the reply promises.
//!
//! So no handler thread waits for the disk, and requests that do not write are answered while it is slow.

/// A reply, now or later.
pub enum Reply<R> {
    /// Here it is.
    Now(R),
    /// It comes to whoever is given to this. If it never comes, the connection closes.
    Later(Box<dyn FnOnce(Finish<R>) + Send>),
}

/// Takes a reply that comes later, on another thread.
pub type Finish<R> = Box<dyn FnOnce(R) + Send>;

impl<R: 'static> Reply<R> {
    /// A reply that `begin` brings about.
    pub fn later(begin: impl FnOnce(Finish<R>) + Send + 'static) -> Self {
        Self::Later(Box::new(begin))
    }

    /// The same with something done to it when it is there.
    pub fn map<S: 'static>(self, change: impl FnOnce(R) -> S + Send + 'static) -> Reply<S> {
        match self {
            Self::Now(reply) => Reply::Now(change(reply)),
            Self::Later(begin) => {
                Reply::later(move |finish| begin(Box::new(move |reply| finish(change(reply)))))
            }
        }
    }
}

impl<R> From<R> for Reply<R> {
    fn from(reply: R) -> Self {
        Self::Now(reply)
    }
}

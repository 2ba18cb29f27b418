//! What can go wrong, named by what the API promises. Knows no HTTP: status codes are `http::response`'s business.
//!
//! Each failure has two texts: the one here for the caller, and a cause, for the log only.

use std::fmt;

/// A result whose failure is one of the promised ones.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure a caller can be told about. (api.md, "Envelope")
#[derive(Debug)]
pub enum Error {
    /// The input breaks a rule; the sentence says which and what to do.
    Invalid(String),
    /// Refused for a reason that has a slug of its own in the document.
    Refused {
        /// The document's slug.
        slug: &'static str,
        /// The sentence.
        details: String,
    },
    /// No credential, or one that is not good any more.
    Unauthorized(String),
    /// A user name and a password that do not belong together.
    InvalidCredentials(String),
    /// Too many wrong passwords.
    CannotAccess {
        /// When to come back.
        retry_after_secs: u32,
        /// The sentence.
        details: String,
    },
    /// The credential is good but holds none of these scopes.
    Forbidden {
        /// The scopes any one of which would do.
        accepted: Vec<String>,
    },
    /// More than the caller may: scopes or a life that it does not hold, or a report that its provider has not signed.
    Exceeding(String),
    /// The operator's password is known to somebody else, and has to be changed before anything else.
    MustChangePassword,
    /// There is no template to test; the document gives this another slug than other things that are not there.
    NothingToTest(String),
    /// Nothing is there under that name.
    NotFound(String),
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// The methods that exist, comma-separated.
        allow: String,
    },
    /// Another element has this one's place.
    Duplicate(String),
    /// The state of what is there forbids this.
    Conflict(String),
    /// More bytes than the named limit.
    TooLarge(String),
    /// A body of a type that is not understood.
    UnsupportedMediaType(String),
    /// An idempotency key came back with another body.
    KeyReused(String),
    /// Too many requests for now.
    TooManyRequests {
        /// When to come back.
        retry_after_secs: u32,
        /// What was exceeded.
        details: String,
    },
    /// The token endpoint refuses, in the words of RFC 6749, section 5.2.
    OAuth {
        /// The registered error word, such as `invalid_client`.
        error: &'static str,
        /// A sentence for the developer.
        description: String,
    },
    /// Not possible now, but later: the queue is full, the disk is full.
    Unavailable {
        /// When to come back.
        retry_after_secs: u32,
        /// What happened, for the log only.
        cause: String,
    },
    /// Looking it up took longer than any look may.
    TookTooLong,
    /// A fault of ours; the cause is for the log only.
    Internal(String),
}

impl Error {
    /// An [`Error::Invalid`] with this sentence.
    pub fn invalid(details: impl Into<String>) -> Self {
        Self::Invalid(details.into())
    }

    /// An [`Error::NotFound`] with this sentence.
    pub fn not_found(details: impl Into<String>) -> Self {
        Self::NotFound(details.into())
    }

    /// An [`Error::Internal`] with this cause.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }

    /// The slug of the admin API for this failure. (api.md, "Envelope")
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "err_InvalidElement",
            Self::Refused { slug, .. } => slug,
            Self::Unauthorized(_) => "err_Unauthorized",
            Self::InvalidCredentials(_) => "invalid_credentials",
            Self::CannotAccess { .. } => "cannot_access",
            Self::Forbidden { .. } | Self::Exceeding(_) | Self::MustChangePassword => {
                "err_Forbidden"
            }
            Self::NotFound(_) => "err_NotFound",
            Self::NothingToTest(_) => "post_generic",
            Self::MethodNotAllowed { .. } => "err_MethodNotAllowed",
            Self::Duplicate(_) => "err_DuplicateElement",
            Self::Conflict(_) => "err_Conflict",
            Self::TooLarge(_) => "err_TooLarge",
            Self::UnsupportedMediaType(_) => "err_UnsupportedMediaType",
            Self::KeyReused(_) => "err_KeyReused",
            Self::TooManyRequests { .. } => "err_TooManyRequests",
            Self::OAuth { error, .. } => error,
            Self::Unavailable { .. } | Self::TookTooLong => "err_Unavailable",
            Self::Internal(_) => "post_generic",
        }
    }

    /// The sentence a caller may read. Causes of our own faults are not in it.
    #[must_use]
    pub fn details(&self) -> String {
        match self {
            Self::Invalid(text)
            | Self::Unauthorized(text)
            | Self::InvalidCredentials(text)
            | Self::Exceeding(text)
            | Self::NotFound(text)
            | Self::NothingToTest(text)
            | Self::Duplicate(text)
            | Self::Conflict(text)
            | Self::TooLarge(text)
            | Self::UnsupportedMediaType(text)
            | Self::KeyReused(text) => text.clone(),
            Self::Forbidden { accepted } => {
                format!("One of these scopes is needed: {}.", accepted.join(", "))
            }
            Self::MustChangePassword => "Somebody else knows your password: choose another one first, with POST \
                 /api/admin/v1/user/password."
                .into(),
            Self::MethodNotAllowed { allow } => format!("This address answers to {allow}."),
            Self::TooManyRequests { details, .. }
            | Self::CannotAccess { details, .. }
            | Self::Refused { details, .. } => details.clone(),
            Self::OAuth { description, .. } => description.clone(),
            Self::Unavailable {
                retry_after_secs, ..
            } => format!(
                "Herald cannot take this just now; try again in {retry_after_secs} seconds."
            ),
            Self::TookTooLong => {
                "Looking this up took too long and was stopped, so that others can read too. Ask for less: \
                 leave out sort or a filter, or name the UserId."
                    .into()
            }
            Self::Internal(_) => "Something went wrong inside Herald; its log says what.".into(),
        }
    }

    /// What to write to the log besides [`Error::details`]; only our own faults have it.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) | Self::Unavailable { cause, .. } => Some(cause),
            Self::TookTooLong => Some("a look at the database took longer than HERALD_READ_MILLIS"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => f.write_str(cause),
            None => f.write_str(&self.details()),
        }
    }
}

impl std::error::Error for Error {}

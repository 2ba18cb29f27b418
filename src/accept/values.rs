//! The values a message is rendered with: the request's, the common words, and the action links it leaves open.
//! (api.md, "Placeholders")

use super::compose::Job;
use crate::clock::shown;
use crate::domain::placeholder::{Value, Values};
use crate::domain::template;
use crate::error::{Error, Result};
use crate::{render, secret};

/// Completes the values of a request. Values given in the request win over the settings' link patterns.
///
/// # Errors
/// [`Error::Invalid`] for a word the type does not have, and for a required word without a value.
pub(super) fn complete(job: &Job<'_>, given: Values) -> Result<Values> {
    let words = &job.message_type.words;
    let unknown = given
        .keys()
        .find(|word| !words.iter().any(|w| w.name == **word));
    if let Some(word) = unknown {
        let known: Vec<_> = words.iter().map(|w| w.name.as_str()).collect();
        return Err(Error::Invalid(format!(
            "The message type {} has no placeholder {word:?} of its own; it has: {}.",
            job.message_type.slug.as_str(),
            if known.is_empty() {
                "none".into()
            } else {
                known.join(", ")
            },
        )));
    }
    let mut values = given;
    values.extend(common(job));
    let links = [
        ("loginUrl", &job.settings.login_url),
        ("resetUrl", &job.settings.reset_url),
    ];
    for (word, pattern) in links {
        let is_open = words.iter().any(|w| w.name == word) && !values.contains_key(word);
        if is_open {
            values.insert(word.into(), Value::Text(link(job, pattern, &values)?));
        }
    }
    template::check_values(job.message_type, &values)?;
    Ok(values)
}

fn common(job: &Job<'_>) -> Values {
    let profile = &job.user.profile;
    let text = |text: &str| Value::Text(text.to_owned());
    let mut user = Values::from([
        ("name".to_owned(), text(&profile.name)),
        ("userName".to_owned(), text(&profile.user_name)),
        ("language".to_owned(), text(profile.language.tag())),
        ("guid".to_owned(), text(&job.user.guid.to_string())),
    ]);
    if let Some(email) = &profile.email {
        user.insert("email".into(), text(email.as_str()));
    }
    if let Some(mobile) = &profile.mobile {
        user.insert("mobile".into(), text(mobile.as_str()));
    }
    let url = job.settings.app_url.as_deref().unwrap_or(&job.app.base_url);
    let app = Values::from([
        ("name".to_owned(), text(&job.settings.app_name)),
        ("url".to_owned(), text(url)),
    ]);
    Values::from([
        ("user".to_owned(), Value::Map(user)),
        ("app".to_owned(), Value::Map(app)),
        ("now".to_owned(), Value::Text(shown(job.due))),
    ])
}

/// A link with a signed token that ends with the message's life.
fn link(job: &Job<'_>, pattern: &str, values: &Values) -> Result<String> {
    let token = secret::action_token(
        &job.settings.link_secret,
        job.user.guid,
        job.message_type.slug.as_str(),
        job.now,
        job.expires(),
    )?;
    let mut values = values.clone();
    values.insert("token".into(), Value::Text(token));
    render::link(pattern, &values)
}

//! The values a message is rendered with: the request's, the common words, and the action links it leaves open.
//! (api.md, "Placeholders")

use super::compose::Job;
use crate::app::App;
use crate::clock::shown;
use crate::domain::message_type::MessageType;
use crate::domain::placeholder::{self, Value, Values, Word};
use crate::domain::settings::Settings;
use crate::domain::template;
use crate::domain::user::User;
use crate::error::{Error, Result};
use crate::{render, secret};

/// Completes the values of a request. Values given in the request win over the settings' link patterns.
///
/// # Errors
/// [`Error::Invalid`] for a word the type does not have, and for a required word without a value.
pub(super) fn complete(job: &Job<'_>, given: Values) -> Result<Values> {
    known_words(job.message_type, &given)?;
    let mut values = given;
    let base_url = &job.app.base_url;
    values.extend(common(
        job.settings,
        base_url,
        Some(job.user),
        shown(job.due),
    ));
    let links = [
        ("loginUrl", &job.settings.login_url),
        ("resetUrl", &job.settings.reset_url),
    ];
    for (word, pattern) in links {
        let is_open =
            job.message_type.words.iter().any(|w| w.name == word) && !values.contains_key(word);
        if is_open {
            let link = link(job, pattern, &mut values)?;
            values.insert(word.into(), Value::Text(link));
        }
    }
    template::check_values(job.message_type, &values)?;
    Ok(values)
}

/// Values to show a template with. Links carry no token that would let anyone in.
pub(super) fn samples(
    app: &App,
    settings: &Settings,
    message_type: &MessageType,
    user: Option<&User>,
    given: Values,
) -> Result<Values> {
    known_words(message_type, &given)?;
    let sample = |word: &Word| match word.sample.is_empty() {
        true => format!("[{}]", word.name),
        false => word.sample.clone(),
    };
    let own = message_type.words.iter();
    let mut values: Values = own
        .map(|w| (w.name.clone(), Value::Text(sample(w))))
        .collect();
    values.extend(given);
    values.extend(common(
        settings,
        &app.base_url,
        user,
        shown(app.clock.now()),
    ));
    Ok(values)
}

fn known_words(message_type: &MessageType, given: &Values) -> Result<()> {
    let words = &message_type.words;
    let unknown = given
        .keys()
        .find(|word| !words.iter().any(|w| w.name == **word));
    let Some(word) = unknown else { return Ok(()) };
    let known: Vec<_> = words.iter().map(|w| w.name.as_str()).collect();
    Err(Error::Invalid(format!(
        "The message type {} has no placeholder {word:?} of its own; it has: {}.",
        message_type.slug.as_str(),
        if known.is_empty() {
            "none".into()
        } else {
            known.join(", ")
        },
    )))
}

/// The words every type has; without a user, the catalogue's samples stand for one.
fn common(settings: &Settings, base_url: &str, user: Option<&User>, now: String) -> Values {
    let text = |text: &str| Value::Text(text.to_owned());
    let user = match user {
        Some(user) => of_user(user),
        None => placeholder::common()
            .iter()
            .filter_map(|w| Some((w.name.strip_prefix("user.")?.to_owned(), text(&w.sample))))
            .collect(),
    };
    let url = settings.app_url.as_deref().unwrap_or(base_url);
    let app = Values::from([
        ("name".to_owned(), text(&settings.app_name)),
        ("url".to_owned(), text(url)),
    ]);
    Values::from([
        ("user".to_owned(), Value::Map(user)),
        ("app".to_owned(), Value::Map(app)),
        ("now".to_owned(), Value::Text(now)),
    ])
}

fn of_user(user: &User) -> Values {
    let profile = &user.profile;
    let text = |text: &str| Value::Text(text.to_owned());
    let mut values = Values::from([
        ("name".to_owned(), text(&profile.name)),
        ("userName".to_owned(), text(&profile.user_name)),
        ("language".to_owned(), text(profile.language.tag())),
        ("guid".to_owned(), text(&user.guid.to_string())),
    ]);
    if let Some(email) = &profile.email {
        values.insert("email".into(), text(email.as_str()));
    }
    if let Some(mobile) = &profile.mobile {
        values.insert("mobile".into(), text(mobile.as_str()));
    }
    values
}

/// A link with a signed token that ends with the message's life. For as long as it is made, the token is among the values.
fn link(job: &Job<'_>, pattern: &str, values: &mut Values) -> Result<String> {
    const TOKEN: &str = "token";
    let token = secret::action_token(
        &job.settings.link_secret,
        job.user.guid,
        job.message_type.slug.as_str(),
        job.now,
        job.expires(),
    )?;
    // A type may have a word of that name.
    let own = values.insert(TOKEN.to_owned(), Value::Text(token));
    let link = render::link(pattern, values);
    match own {
        Some(own) => values.insert(TOKEN.to_owned(), own),
        None => values.remove(TOKEN),
    };
    link
}

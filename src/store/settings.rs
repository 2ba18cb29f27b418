//! The settings: rows over defaults.

use super::memo::{Key, Weigh};
use super::{Db, Tx, copies, pause};
use crate::domain::ids::TypeId;
use crate::domain::language::Language;
use crate::domain::settings::Settings;
use crate::error::{Error, Result};
use crate::hooks::KEY_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// Writes what a new database needs: the secret behind action links.
pub(super) fn seed(tx: &Tx<'_>) -> Result<()> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(Error::internal)?;
    set(tx, "link_secret", &STANDARD.encode(secret))
}

/// The key of the appliance's hooks, made the first time that it is asked for.
pub fn hook_key(tx: &Tx<'_>) -> Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(Error::internal)?;
    let sql = "insert into setting (key, value) values ('hook_key', ?1) on conflict do nothing";
    tx.0.0
        .prepare_cached(sql)?
        .execute([STANDARD.encode(key)])?;
    let sql = "select value from setting where key = 'hook_key'";
    let kept: String =
        tx.0.0
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?;
    let kept = STANDARD.decode(kept).map_err(Error::internal)?;
    kept.try_into()
        .map_err(|_| Error::internal("the setting hook_key is no key"))
}

/// Writes the settings.
pub fn save(tx: &Tx<'_>, settings: &Settings) -> Result<()> {
    let Settings {
        app_name,
        app_url,
        default_language,
        default_sender,
        login_url,
        reset_url,
        link_secret,
        retention_days,
        retention_megabytes,
        words: [(_, welcome), (_, login_info), (_, forgotten_password)],
    } = settings;
    set(tx, "app_name", app_name)?;
    match app_url {
        Some(url) => set(tx, "app_url", url)?,
        None => drop(
            tx.0.0
                .execute("delete from setting where key = 'app_url'", [])?,
        ),
    }
    set(tx, "default_language", default_language.tag())?;
    set(tx, "default_sender", default_sender)?;
    set(tx, "login_url", login_url)?;
    set(tx, "reset_url", reset_url)?;
    set(tx, "link_secret", &STANDARD.encode(link_secret))?;
    set(tx, "retention_days", &retention_days.to_string())?;
    set(tx, "retention_megabytes", &retention_megabytes.to_string())?;
    set(tx, "welcome", &welcome.to_string())?;
    set(tx, "logininfo", &login_info.to_string())?;
    set(tx, "forgottenpassword", &forgotten_password.to_string())
}

pub(super) fn set(tx: &Tx<'_>, key: &str, value: &str) -> Result<()> {
    let sql = "
        insert into setting (key, value) values (?1, ?2)
        on conflict (key) do update set value = excluded.value";
    tx.0.0.prepare_cached(sql)?.execute([key, value])?;
    Ok(())
}

impl Weigh for Settings {}

/// The settings in force.
pub fn load(db: &Db) -> Result<Arc<Settings>> {
    let settings = db.recall(Key::Settings, || read(db).map(Some))?;
    settings.ok_or_else(|| Error::internal("the settings are gone"))
}

fn read(db: &Db) -> Result<Settings> {
    let mut settings = Settings::new(Vec::new());
    let mut statement = db.0.prepare_cached("select key, value from setting")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: String = row.get("key")?;
        let value: String = row.get("value")?;
        let Settings {
            app_name,
            app_url,
            default_language,
            default_sender,
            login_url,
            reset_url,
            link_secret,
            retention_days,
            retention_megabytes,
            words: [(_, welcome), (_, login_info), (_, forgotten_password)],
        } = &mut settings;
        let number = || TypeId(value.parse().unwrap_or(-1));
        match key.as_str() {
            "app_name" => *app_name = value,
            "app_url" => *app_url = Some(value),
            "default_language" => *default_language = Language::parse(&value)?,
            "default_sender" => *default_sender = value,
            "login_url" => *login_url = value,
            "reset_url" => *reset_url = value,
            "link_secret" => *link_secret = STANDARD.decode(value).map_err(Error::internal)?,
            "retention_days" => *retention_days = value.parse().unwrap_or(*retention_days),
            "retention_megabytes" => *retention_megabytes = value.parse().unwrap_or(0),
            "welcome" => *welcome = number(),
            "logininfo" => *login_info = number(),
            "forgottenpassword" => *forgotten_password = number(),
            // Not a person's to set: see [`hook_key`].
            "hook_key" => {}
            ours if pause::KEYS.contains(&ours) || ours == copies::MADE => {}
            other => log::warn!("unknown setting {other} is ignored"),
        }
    }
    Ok(settings)
}

//! How the providers in force are: for people to look at.

use super::{find, sends};
use crate::app::App;
use crate::domain::format::Channel;

/// The channels of which nothing leaves this machine.
#[must_use]
pub fn captured(app: &App) -> Vec<Channel> {
    let running = app.providers.lock();
    let channels = running.iter().flat_map(|running| &running.built);
    let captured = channels.filter(|(_, lines)| !sends(lines));
    captured.map(|(channel, _)| *channel).collect()
}

/// Whether nothing is configured for a channel, neither given nor stored: it is captured.
#[must_use]
pub fn is_unset(app: &App, channel: Channel) -> bool {
    find(app, |on, line| on == channel && !line.source.is_empty()).is_none()
}

//! How the providers in force are: for people to look at.

use super::{Running, find, sends};
use crate::app::App;
use crate::domain::format::Channel;
use crate::domain::ids::ProviderId;
use crate::outbox::health::Condition;
use std::sync::Arc;

/// A provider in force, and how it is.
#[derive(Debug, Clone)]
pub struct Health {
    /// None for one given by flag or environment, and for the capture of a channel without any.
    pub id: Option<ProviderId>,
    /// What it carries.
    pub channel: Channel,
    /// From 1 within the channel: its place in the failover order.
    pub position: usize,
    /// The URL, secrets masked.
    pub masked: String,
    /// Whether it was given by flag or environment.
    pub is_locked: bool,
    /// Whether what it takes stays in this appliance.
    pub captures: bool,
    /// How it is.
    pub condition: Condition,
}

/// The providers in force in failover order, and how they are.
#[must_use]
pub fn health(app: &App) -> Vec<Health> {
    let running = app.providers.lock();
    let Some(Running { outbox, built }) = running.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (on, provider, condition) in outbox.conditions() {
        let mut lines = built.get(&on).into_iter().flatten().enumerate();
        let own = lines.find(|(_, line)| Arc::ptr_eq(&line.provider, &provider));
        found.extend(own.map(|(index, line)| Health {
            id: line.id,
            channel: on,
            position: index + 1,
            masked: provider.name().to_owned(),
            is_locked: line.id.is_none() && !line.source.is_empty(),
            captures: provider.keeps_here(),
            condition,
        }));
    }
    found
}

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

//! Delivery: from a destination with mail that is due to the hosts that take it.
//!
//! Each destination has a [`Lane`]: how many agents may work for it, and whether it is dead. An [`Agent`]
//! resolves the destination, goes through the steps of its [`Plan`] until a session stands, and carries one
//! message after the other. In files: `pump` puts agents to work, `attempt` walks them through their steps,
//! `session` hears what a session says, `security` says how safe it
//! must be, `settle` decides what becomes of each recipient.

mod agent;
mod attempt;
mod lane;
mod memory;
mod plan;
mod pump;
mod security;
mod session;
mod settle;

pub(crate) use agent::{Agent, Agents, Job, Parcel, State};
pub(crate) use lane::{Heard, Lane};
pub(crate) use memory::HostMemory;
pub(crate) use plan::{Plan, PlanStep};
pub(crate) use settle::late;

//! Carriers by their recorded bytes, and end to end against stand-ins of their APIs.

mod cases;
mod parts;
mod recorded;
mod rest;
mod signers;
mod stand_in;
mod twilio;

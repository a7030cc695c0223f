//! Codewell: a gateway that hands out single-use coupon codes and can prove where each one went.

pub mod http;

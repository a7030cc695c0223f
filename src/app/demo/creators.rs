//! The demo's creators: whoever `config/demo/welcome.toml` gives a part.

use crate::engine::{CreatorError, CreatorIn, Engine};

/// Handle, name and own number of each.
pub const CREATORS: [(&str, &str, &str); 2] = [("anna", "Anna", "+12025550181"), ("emma", "Emma", "+12025550182")];

/// Makes the creators that are not there yet.
///
/// # Errors
/// [`CreatorError`].
pub async fn open(engine: &Engine) -> Result<(), CreatorError> {
    for (handle, name, phone) in CREATORS {
        let wanted = CreatorIn {
            handle: handle.to_owned(),
            name: name.to_owned(),
            phone: Some(phone.to_owned()),
            disclosure: None,
        };
        match engine.creator(handle).await {
            Ok(_) => {}
            Err(CreatorError::Unknown(_)) => drop(engine.add_creator(&wanted).await?),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

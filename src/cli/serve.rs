//! `codewell serve`.

use super::console::Console;
use super::place::PlaceArgs;
use crate::app::OldTables;
use crate::app::logging;
use crate::app::server::{PortTaken, Server, listen, open_for_server, stop_signal};
use clap::Args;
use std::net::SocketAddr;

/// Run the server
///
/// Makes the data directory, the keyring and the tables on the first run. SIGTERM or ctrl-c stops it in order:
/// requests under way are finished, messages already taken are sent.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Address and port to listen on, over the configured one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Leave tables of an older release alone and stop, instead of bringing them up to date
    #[arg(long)]
    no_migrate: bool,
}

pub(super) async fn serve(args: &ServeArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let mut config = args.place.config(console)?;
    config.server.listen = args.listen.unwrap_or(config.server.listen);
    logging::start(config.log);
    let stop = stop_signal()?;
    let old_tables = if args.no_migrate { OldTables::Refuse } else { OldTables::Migrate };
    let address = config.server.listen;
    let (house, lock) = open_for_server(config, old_tables).await?;
    for made in &house.made {
        console.note(made);
    }
    let listener = listen(address, PortTaken::Refuse).await?;
    let server = Server::start(&house, listener, lock).await?;
    console.say(&format!("Codewell serves {}", server.public_url))?;
    if server.engine.catalog().rows.campaigns.is_empty() {
        say_first_steps(&args.place, console)?;
    }
    console.flush()?;
    server.run(stop).await?;
    Ok(())
}

fn say_first_steps(place: &PlaceArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let again = place.again();
    console.say("There is no campaign yet. Write one as TOML, then, beside this server:")?;
    console.say(&format!("  codewell apply my-campaign.toml{again}"))?;
    console.say(&format!("  codewell keys create till --name \"Corner shop\"{again}"))?;
    console.say("It is live at once, without a restart. To look around first: codewell demo")
}

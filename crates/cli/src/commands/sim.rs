//! `rosterctl sim`.

use super::{Outcome, runtime, signalled};
use crate::arguments::SimArguments;
use crate::failure::{Exit, Failure};
use crate::file::write_whole;
use crate::simulator;
use crate::terminal::Terminal;
use anyhow::Context as _;
use reconciler::source;
use slack_sim::{Simulator, Switches};
use std::path::Path;
use tokio::net::TcpListener;

pub(super) fn run(terminal: Terminal, arguments: &SimArguments) -> Outcome {
    let address = arguments.listen;
    if !address.ip().is_loopback() {
        let message = format!("{address} is not a loopback address");
        return Err(
            Failure::usage(message).hint("the simulator lets anybody in, so it serves this machine only")
        );
    }
    let mut switches = if arguments.rfc { Switches::rfc() } else { Switches::default() };
    turn(&mut switches, &arguments.switches)?;
    runtime()?.block_on(async {
        let kept = arguments.state.as_deref().filter(|path| path.exists());
        let mut simulator = match kept {
            Some(path) => {
                let text = source::read_file(path)?.text;
                let simulator = Simulator::from_json(&text, switches.clone());
                simulator.with_context(|| path.display().to_string())?
            }
            None => simulator::new(arguments.seed.as_deref(), switches.clone())?,
        };
        // A file may bring switches of its own; what was typed wins.
        simulator.set_switches(|all| drop(turn(all, &arguments.switches)));
        if let Some(token) = &arguments.token {
            simulator = simulator.with_token(token);
        }
        serve(terminal, arguments, simulator).await
    })
}

fn turn(all: &mut Switches, typed: &[String]) -> Result<(), Failure> {
    for switch in typed {
        let Some((name, value)) = switch.split_once('=') else {
            return Err(Failure::usage(format!("--set {switch}: write NAME=VALUE")));
        };
        all.set(name, value).map_err(|error| {
            Failure::usage(error.to_string())
                .hint("`rosterctl sim --help` lists the switches and their values")
        })?;
    }
    Ok(())
}

async fn serve(terminal: Terminal, arguments: &SimArguments, simulator: Simulator) -> Outcome {
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    let simulator = simulator.with_base_url(format!("http://{address}"));
    let whose = if arguments.rfc { "a plain SCIM 2.0 service" } else { "Slack's SCIM service" };
    terminal.status(&format!("Simulating {whose} at http://{address}/scim/v2 (Ctrl-C ends it).\n"));
    let (stop, stopped) = tokio::sync::watch::channel(());
    let server = simulator.clone().serve(listener, async move {
        signalled().await;
        drop(stop);
    });
    let saving = save_changes(arguments.state.as_deref(), &simulator, stopped);
    let (serving_ended, saving_ended) = tokio::join!(server, saving);
    serving_ended.context("the simulator stopped")?;
    saving_ended?;
    Ok(Exit::Done)
}

/// Writes the state after every change until `stopped` closes, and once more then.
async fn save_changes(
    path: Option<&Path>,
    simulator: &Simulator,
    mut stopped: tokio::sync::watch::Receiver<()>,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let mut changes = simulator.changes();
    let mut running = true;
    loop {
        // Marked as seen before the state is taken: a change in between is then saved by the next round.
        changes.mark_unchanged();
        let json = simulator.to_json();
        write_whole(path, |out| out.write_all(json.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        if !running {
            return Ok(());
        }
        tokio::select! {
            next = changes.changed() => running = next.is_ok(),
            _ = stopped.changed() => running = false,
        }
    }
}

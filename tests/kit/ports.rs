//! Ports for programs that tests start.

use std::sync::atomic::{AtomicU16, Ordering};

/// Ports that were free a moment ago. They are below those that the system
/// gives to whoever asks for any, so that no test beside this one gets them
/// before a program has bound them.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 12_000;
    const SPAN: u16 = 20_000;
    let start = (std::process::id().wrapping_mul(7) % u32::from(SPAN)) as u16;
    let mut candidates =
        std::iter::repeat_with(|| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % SPAN);
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    [(); N].map(|()| candidates.by_ref().take(usize::from(SPAN)).find(is_free).expect("a free port"))
}

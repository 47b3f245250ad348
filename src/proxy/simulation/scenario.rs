//! The worlds: which servers there are, what befalls them, how much is asked
//! of them.

/// From and to, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first second of it.
    pub from_s: f64,
    /// The first second after it.
    pub to_s: f64,
}

impl Span {
    /// From and to, in seconds.
    pub const fn new(from_s: f64, to_s: f64) -> Span {
        Span { from_s, to_s }
    }

    pub(super) fn has(self, at_us: u64) -> bool {
        let at_s = at_us as f64 / 1e6;
        at_s >= self.from_s && at_s < self.to_s
    }
}

/// One server's fate.
#[derive(Clone, Debug)]
pub struct ServerPlan {
    /// When it is there.
    pub lives: Span,
    /// It starts when it joins, and is ten times as slow at first; after
    /// this many requests e times less so. 0: it is old and warm.
    pub cold_requests: f64,
    /// So many times as slow as it should be.
    pub slow: f64,
    /// When it stands still, all slots.
    pub stalls: Vec<Span>,
    /// When it answers 500 within a millisecond.
    pub fails_fast: Option<Span>,
    /// When nobody can connect.
    pub down: Option<Span>,
    /// When something else takes five of its eight slots.
    pub busy_elsewhere: Vec<Span>,
}

impl ServerPlan {
    fn healthy() -> ServerPlan {
        ServerPlan {
            lives: Span::new(0.0, f64::INFINITY),
            cold_requests: 0.0,
            slow: 1.0,
            stalls: Vec::new(),
            fails_fast: None,
            down: None,
            busy_elsewhere: Vec::new(),
        }
    }
}

/// A world.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name in the table.
    pub name: &'static str,
    /// What is in it, in a sentence.
    pub about: &'static str,
    /// Its servers.
    pub servers: Vec<ServerPlan>,
    /// Balancers that share nothing.
    pub balancers: usize,
    /// Requests a second, from all clients.
    pub requests_per_s: f64,
    /// How long it lasts.
    pub seconds: f64,
    /// The share of requests that may be sent twice.
    pub idempotent: f64,
    /// When more is asked, and how many times as much.
    pub surge: Option<(Span, f64)>,
    /// The share of requests that take five times as long.
    pub heavy: f64,
}

/// What one server does in a second: eight slots of 40 ms.
const SERVER_PER_S: f64 = 200.0;
const SECONDS: f64 = 180.0;
const STALL_S: f64 = 1.5;
const STALL_EVERY_S: f64 = 40.0;

impl Scenario {
    fn of(name: &'static str, about: &'static str, servers: usize, load: f64) -> Scenario {
        Scenario {
            name,
            about,
            servers: vec![ServerPlan::healthy(); servers],
            balancers: 8,
            requests_per_s: load * servers as f64 * SERVER_PER_S,
            seconds: SECONDS,
            idempotent: 0.8,
            surge: None,
            heavy: 0.0,
        }
    }

    /// All worlds of the experiment.
    pub fn all() -> Vec<Scenario> {
        vec![
            Scenario::netflix(),
            Scenario { name: "netflix_idem98", idempotent: 0.98, ..Scenario::netflix() },
            Scenario { name: "netflix_100", balancers: 100, ..Scenario::netflix() },
            Scenario::antagonist(),
            Scenario::coldstart(),
            Scenario::fastfail(),
            Scenario::pair(),
            Scenario::live(),
            Scenario::uniform(0.65),
            Scenario { name: "uniform_85", ..Scenario::uniform(0.85) },
            Scenario::slow(),
            Scenario::bad(),
            Scenario::stalls(),
            Scenario::down(),
            Scenario::heavy(),
            Scenario::surge(),
            Scenario::small(),
        ]
    }

    /// A world by its name.
    pub fn named(name: &str) -> Option<Scenario> {
        Scenario::all().into_iter().find(|scenario| scenario.name == name)
    }

    /// The same world, compressed: every time is this share of what it was,
    /// except the work itself and the stalls.
    #[must_use]
    pub fn shortened(mut self, share: f64) -> Scenario {
        let shrink = |span: &mut Span| {
            span.from_s *= share;
            span.to_s *= share;
        };
        self.seconds *= share;
        for server in &mut self.servers {
            shrink(&mut server.lives);
            server.stalls.retain(|stall| stall.to_s < self.seconds);
            server.busy_elsewhere.retain(|span| span.from_s < self.seconds);
            server.fails_fast.iter_mut().chain(server.down.iter_mut()).for_each(shrink);
        }
        self.surge.iter_mut().for_each(|(span, _)| shrink(span));
        self
    }

    fn stalling(mut self) -> Scenario {
        let count = self.servers.len() as f64;
        let end = self.seconds;
        for (index, server) in self.servers.iter_mut().enumerate() {
            let first = STALL_EVERY_S * (index as f64 + 0.5) / count;
            server.stalls = (0..)
                .map(|round| first + STALL_EVERY_S * f64::from(round))
                .take_while(|at| *at < end)
                .map(|at| Span::new(at, at + STALL_S))
                .collect();
        }
        self
    }

    /// A deployment as Netflix describes it.
    pub fn netflix() -> Scenario {
        let about = "20 warm; 10 cold join at 30 s, 10 old leave at 90 s; two x4 slow; all stall";
        let mut world = Scenario::of("netflix", about, 20, 0.65);
        world.servers.resize(30, ServerPlan::healthy());
        for server in &mut world.servers[20..] {
            server.lives.from_s = 30.0;
            server.cold_requests = 400.0;
        }
        for server in &mut world.servers[..10] {
            server.lives.to_s = 90.0;
        }
        for server in &mut world.servers[10..12] {
            server.slow = 4.0;
        }
        world.stalling()
    }

    /// Something else eats a quarter of the servers, one quarter after the
    /// other, and each balancer sees too little to notice.
    pub fn antagonist() -> Scenario {
        let about = "100 balancers; something else takes 5 of 8 slots of a quarter of the servers in turn";
        let mut world = Scenario::of("antagonist_100", about, 20, 0.65);
        world.balancers = 100;
        for (index, server) in world.servers.iter_mut().enumerate() {
            let first = 10.0 * (index % 4) as f64;
            server.busy_elsewhere = (0..5)
                .map(|round| first + 40.0 * f64::from(round))
                .map(|from| Span::new(from, from + 10.0))
                .collect();
        }
        world
    }

    /// Ten cold ones join twenty warm ones.
    pub fn coldstart() -> Scenario {
        let mut world = Scenario::of("coldstart", "20 warm; 10 cold join at 30 s", 20, 0.65);
        world.servers.resize(30, ServerPlan::healthy());
        for server in &mut world.servers[20..] {
            server.lives.from_s = 30.0;
            server.cold_requests = 400.0;
        }
        world
    }

    /// One answers 500 quicker than the others answer well.
    pub fn fastfail() -> Scenario {
        let mut world = Scenario::of("fastfail", "one of 20 answers 500 in 1 ms from 60 to 120 s", 20, 0.65);
        world.servers[3].fails_fast = Some(Span::new(60.0, 120.0));
        world
    }

    /// Two servers only.
    pub fn pair() -> Scenario {
        let about = "2 servers at 45 %, both stall; one answers 500 in 1 ms for 10 s";
        let mut world = Scenario::of("pair", about, 2, 0.45).stalling();
        world.servers[1].fails_fast = Some(Span::new(95.0, 105.0));
        world
    }

    /// The world of the experiment over real sockets.
    pub fn live() -> Scenario {
        let about =
            "8 servers, 3 balancers, 45 s: each stalls once, one x4 slow, two go cold, one fails fast";
        let mut world = Scenario::of("live_8", about, 8, 0.65);
        (world.balancers, world.seconds) = (3, 45.0);
        for (index, server) in world.servers.iter_mut().enumerate() {
            let at = 4.0 + 5.0 * index as f64;
            server.stalls = vec![Span::new(at, at + STALL_S)];
        }
        world.servers[1].slow = 4.0;
        world.servers[3].fails_fast = Some(Span::new(30.0, 36.0));
        // Two are there from 12 s on, anew and cold.
        for index in [6, 7] {
            let mut again = world.servers[index].clone();
            (again.lives.from_s, again.cold_requests) = (12.0, 150.0);
            world.servers[index].lives.to_s = 12.0;
            world.servers.push(again);
        }
        world
    }

    /// Nothing wrong.
    pub fn uniform(load: f64) -> Scenario {
        Scenario::of("uniform", "20 healthy servers", 20, load)
    }

    /// Two much slower ones.
    pub fn slow() -> Scenario {
        let mut world = Scenario::of("slow_2_of_20", "two of 20 five times as slow", 20, 0.65);
        world.servers[..2].iter_mut().for_each(|server| server.slow = 5.0);
        world
    }

    /// Many slower ones.
    pub fn bad() -> Scenario {
        let mut world = Scenario::of("bad_8_of_20", "8 of 20 four times as slow, load 50 %", 20, 0.5);
        world.servers[..8].iter_mut().for_each(|server| server.slow = 4.0);
        world
    }

    /// All stall now and then.
    pub fn stalls() -> Scenario {
        Scenario::of("stalls", "all 20 stall for 1.5 s every 40 s, one after the other", 20, 0.65).stalling()
    }

    /// Two cannot be reached.
    pub fn down() -> Scenario {
        let mut world = Scenario::of("down_2", "two of 20 refuse connections from 60 to 90 s", 20, 0.65);
        world.servers[..2].iter_mut().for_each(|server| server.down = Some(Span::new(60.0, 90.0)));
        world
    }

    /// Some requests are much more work.
    pub fn heavy() -> Scenario {
        let mut world = Scenario::of("heavy", "one request in a hundred takes five times as long", 20, 0.65);
        world.heavy = 0.01;
        world
    }

    /// More than the servers can do.
    pub fn surge() -> Scenario {
        let mut world = Scenario::of("surge", "1.9 times as many requests from 90 to 105 s", 20, 0.65);
        world.surge = Some((Span::new(90.0, 105.0), 1.9));
        world
    }

    /// Three servers.
    pub fn small() -> Scenario {
        let about = "3 servers at 55 %, one x4 slow, all stall";
        let mut world = Scenario::of("small_3", about, 3, 0.55);
        world.servers[0].slow = 4.0;
        world.stalling()
    }
}

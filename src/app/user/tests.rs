use super::*;
use crate::app::cli::{PasswordArgs, RoleName};
use crate::base::{FixedChance, ManualClock, Timestamp};
use crate::domain::{password, user};

struct Bench {
    store: Store,
    site: Site,
    is_certain: bool,
    ids: IdGenerator,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            store: Store::memory(),
            site: Site::new("https", "social.example"),
            is_certain: true,
            ids: IdGenerator::new(0),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_700_000_000_000))),
            chance: Arc::new(FixedChance::new(1)),
        }
    }

    async fn run(&self, command: UserCommand) -> Result<String, String> {
        let at = Workplace {
            store: self.store.clone(),
            site: self.site.clone(),
            is_certain: self.is_certain,
            clock: self.clock.clone(),
            chance: self.chance.clone(),
            ids: &self.ids,
        };
        perform(at, command).await.map_err(|problem| problem.to_string())
    }

    async fn fits(&self, name: &'static str, password: &str) -> bool {
        let found = self.store.read(move |tx| user::find_login(tx, name)).await.unwrap();
        password::verify(password, found.map(|(user, _)| user.password_hash).as_deref())
    }
}

fn create(name: &str, role: RoleName, password: Option<&str>) -> UserCommand {
    UserCommand::Create {
        name: name.into(),
        email: Some(format!("{name}@example.com")),
        role,
        password: given(password),
    }
}

fn given(password: Option<&str>) -> PasswordArgs {
    PasswordArgs { password_stdin: password.is_some(), password: password.map(Into::into) }
}

fn printed_password(said: &str) -> &str {
    said.lines().find_map(|line| line.strip_prefix("password: ")).unwrap()
}

#[tokio::test]
async fn people_are_made_listed_kept_out_and_let_in() {
    let bench = Bench::new();
    assert!(bench.run(UserCommand::List).await.unwrap().starts_with("nobody yet"));
    let said = bench.run(create("Ana", RoleName::Admin, None)).await.unwrap();
    assert!(said.starts_with("made @Ana@social.example\n"), "{said}");
    assert!(bench.fits("ana", printed_password(&said)).await);
    let said = bench.run(create("ben", RoleName::User, Some("correct horse"))).await.unwrap();
    assert_eq!(said, "made @ben@social.example\n", "a password that was given is not printed");
    assert!(bench.fits("ben", "correct horse").await);
    bench.run(UserCommand::Disable { name: "@ben".into() }).await.unwrap();
    let listed = bench.run(UserCommand::List).await.unwrap();
    assert_eq!(listed, "Ana\tadmin\tactive\tana@example.com\nben\tuser\tdisabled\tben@example.com\n");
    bench.run(UserCommand::Enable { name: "ben@example.com".into() }).await.unwrap();
    assert!(bench.run(UserCommand::List).await.unwrap().contains("ben\tuser\tactive"));
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let bench = Bench::new();
    bench.run(create("ana", RoleName::User, Some("correct horse"))).await.unwrap();
    let said =
        bench.run(UserCommand::ResetPassword { name: "ana".into(), password: given(None) }).await.unwrap();
    assert!(bench.fits("ana", printed_password(&said)).await);
    assert!(!bench.fits("ana", "correct horse").await);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let bench = Bench::new();
    bench.run(create("ana", RoleName::User, None)).await.unwrap();
    let cases = [
        (create("ana", RoleName::User, None), "somebody has, or had, this username"),
        (create("no spaces", RoleName::User, None), "only letters"),
        (create("ben", RoleName::User, Some("short")), "a password has 8 to 256 bytes"),
        (UserCommand::Disable { name: "nobody".into() }, "nobody here is called `nobody`"),
        (UserCommand::ResetPassword { name: "x".into(), password: given(None) }, "`waxwing user list`"),
    ];
    for (command, expected) in cases {
        let said = bench.run(command).await.unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn whoever_runs_the_server_may_use_a_reserved_name() {
    let bench = Bench::new();
    assert!(bench.run(create("admin", RoleName::User, None)).await.is_ok());
}

#[tokio::test]
async fn a_server_has_one_owner() {
    let bench = Bench::new();
    bench.run(create("ana", RoleName::Owner, None)).await.unwrap();
    assert!(bench.store.read(user::has_owner).await.unwrap().is_some());
    let said = bench.run(create("ben", RoleName::Owner, None)).await.unwrap_err();
    assert!(said.contains("has an owner already"), "{said}");
    assert_eq!(bench.run(UserCommand::List).await.unwrap().lines().count(), 1);
}

#[tokio::test]
async fn an_address_is_never_guessed() {
    let unsure = Bench { is_certain: false, site: Site::new("https", "localhost"), ..Bench::new() };
    let said = unsure.run(create("ana", RoleName::Owner, None)).await.unwrap_err();
    assert!(said.contains("not known yet"), "{said}");
    // The server ran, got another port, and has an owner.
    let served = Bench { site: Site::new("https", "localhost:8443"), ..Bench::new() };
    served.run(create("ana", RoleName::Owner, None)).await.unwrap();
    let later = Bench { store: served.store.clone(), ..unsure };
    let said = later.run(create("ben", RoleName::User, None)).await.unwrap();
    assert!(said.starts_with("made @ben@localhost:8443\n"), "{said}");
}

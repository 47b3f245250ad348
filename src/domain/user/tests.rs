use super::*;
use crate::domain::testing::World;
use crate::domain::{oauth, secret, session};
use crate::model::tables::{NOTIFICATION, SESSION, TOKEN};
use crate::model::{App, KeyPair, NotificationKind, Registration};
use crate::store::Scan;

fn new(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: Some(format!("{username}@example.org")),
        password_hash: "hash".into(),
        keys: KeyPair { private_der: vec![1], public_pem: "pem".into() },
        reason: None,
        invite: None,
        app: None,
        locale: None,
    }
}

async fn join(world: &World, entry: Entry, username: &str) -> Result<Account, SignUpError> {
    let (site, new) = (world.site.clone(), new(username));
    world.write(move |tx, moment| sign_up(tx, moment, &site, entry, &new)).await
}

async fn own(world: &World, link: &'static str, username: &str) -> Result<Account, SignUpError> {
    let (site, new) = (world.site.clone(), new(username));
    world.write(move |tx, moment| create_owner(tx, moment, &site, &OwnerLink(link), &new)).await
}

#[tokio::test]
async fn the_owners_link_works_once() {
    let world = World::new();
    let set = |text: &'static str| world.write(move |tx, _| set_owner_link(tx, secret::digest(text)));
    assert!(set("old").await.unwrap() && set("new").await.unwrap());
    assert!(matches!(own(&world, "old", "ana").await, Err(SignUpError::BadLink)));
    // A refused name does not use the link up.
    assert!(matches!(own(&world, "new", "a b").await, Err(SignUpError::Username(_))));
    let ana = own(&world, "new", "ana").await.unwrap();
    assert!(matches!(own(&world, "new", "bea").await, Err(SignUpError::BadLink)));
    assert_eq!(world.read(has_owner).await, Some(ana.id));
    assert!(!set("another").await.unwrap());
    assert_eq!(world.read(move |tx| get(tx, ana.id)).await.unwrap().role, Role::Owner);

    join(&world, Entry::Public(Registration::Open), "bea").await.unwrap();
    let news = world.read(move |tx| tx.scan(NOTIFICATION, Scan::prefix(&(ana.id,)))).await;
    assert_eq!(news[0].1.kind, NotificationKind::AdminSignUp);
}

#[tokio::test]
async fn names_and_addresses_are_given_out_once() {
    let world = World::new();
    let open = Entry::Public(Registration::Open);
    let ana = join(&world, open, "Ana").await.unwrap();
    assert!(matches!(join(&world, open, "aNA").await, Err(SignUpError::UsernameTaken)));
    assert!(matches!(join(&world, open, "root").await, Err(SignUpError::Username(_))));
    assert!(join(&world, Entry::Given(Role::Admin), "root").await.is_ok());
    // A deleted account keeps its name.
    let gone = ana.clone();
    world
        .write(move |tx, moment| {
            Account::save(tx, Some(&gone), &Account { deleted_at: Some(moment.now), ..gone.clone() });
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    assert!(matches!(join(&world, open, "ana").await, Err(SignUpError::UsernameTaken)));
    let (site, mut other) = (world.site.clone(), new("bea"));
    other.email = Some("ANA@Example.org".into());
    let taken = world.write(move |tx, moment| sign_up(tx, moment, &site, open, &other)).await;
    assert!(matches!(taken, Err(SignUpError::EmailTaken)));
}

#[tokio::test]
async fn people_log_in_with_name_or_address() {
    let world = World::new();
    let ana = join(&world, Entry::Given(Role::User), "Ana").await.unwrap();
    for login in ["ana", "@ANA", " Ana ", "ana@example.org", "ANA@EXAMPLE.ORG"] {
        let found = world.read(move |tx| find_login(tx, login)).await;
        assert_eq!(found.map(|(user, _)| user.id), Some(ana.id), "{login}");
    }
    for login in ["", "@", "an", "ana@other.example"] {
        assert!(world.read(move |tx| find_login(tx, login)).await.is_none(), "{login}");
    }
}

#[tokio::test]
async fn a_new_password_logs_everybody_else_out() {
    let world = World::new();
    let ana = join(&world, Entry::Given(Role::User), "ana").await.unwrap().id;
    world
        .write(move |tx, moment| {
            for text in ["here", "there"] {
                let digest = secret::digest(text);
                let new = session::NewSession { digest, csrf: "c", user_agent: "b" };
                session::create(tx, moment, ana, &new)?;
            }
            let app = App {
                id: moment.id(),
                name: "app".into(),
                website: None,
                redirect_uris: Vec::new(),
                scopes: Vec::new(),
                client_id: "id".into(),
                secret_digest: [0; 32],
                created_at: moment.now,
            };
            oauth::issue(tx, moment, secret::digest("token"), &app, Some(ana), vec!["read".into()]);
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let keep = Some(secret::digest("here"));
    let site = world.site.clone();
    world.write(move |tx, moment| set_password(tx, moment, &site, ana, "new hash", keep)).await.unwrap();
    let left = world.read(|tx| Ok((tx.scan(SESSION, Scan::all())?, tx.scan(TOKEN, Scan::all())?))).await;
    assert_eq!((left.0.len(), left.0[0].0, left.1.len()), (1, secret::digest("here"), 0));
    world.write(move |tx, _| disable(tx, ana)).await.unwrap();
    assert!(world.read(|tx| tx.scan(SESSION, Scan::all())).await.is_empty());
    assert!(matches!(world.write(|tx, _| disable(tx, Id(1))).await, Err(UserError::Missing)));
}

#[tokio::test]
async fn sessions_end_when_idle_and_when_their_user_is_disabled() {
    let world = World::new();
    let ana = join(&world, Entry::Given(Role::User), "ana").await.unwrap().id;
    let digest = secret::digest("cookie");
    world
        .write(move |tx, moment| {
            let agent = "é".repeat(300);
            session::create(tx, moment, ana, &session::NewSession { digest, csrf: "c", user_agent: &agent })
        })
        .await
        .unwrap_or_else(|e: StoreError| panic!("{e}"));
    let look = || {
        let now = world.moment().now;
        world.read(move |tx| session::lookup(tx, digest, now))
    };
    let login = look().await.expect("is logged in");
    assert!(!login.is_stale && login.session.user_agent.len() == 200);
    world.clock.advance(std::time::Duration::from_secs(7200));
    assert!(look().await.unwrap().is_stale);
    let now = world.moment().now;
    world.write(move |tx, _| session::touch(tx, digest, now)).await.unwrap();
    world.clock.advance(session::IDLE_MAX);
    assert!(look().await.is_none());
    world.write(move |tx, moment| session::touch(tx, digest, moment.now)).await.unwrap();
    assert!(look().await.is_some());
    let pending = move |tx: &mut crate::store::WriteTx<'_>, _: &mut crate::base::Moment| {
        change(tx, ana, |user| user.state = UserState::Pending)
    };
    world.write(pending).await.unwrap();
    assert!(look().await.is_none());
}

#[tokio::test]
async fn whoever_waits_to_be_let_in_is_not_seen() {
    let world = World::new();
    let ana = join(&world, Entry::Given(Role::User), "ana").await.unwrap().id;
    let seen = || async {
        let account = world.read(move |tx| tx.get(crate::model::tables::ACCOUNT, &ana)).await;
        account.unwrap().is_visible()
    };
    let set = |state: UserState, awaits_confirmation: bool| {
        world.write(move |tx: &mut crate::store::WriteTx<'_>, _: &mut crate::base::Moment| {
            change(tx, ana, |user| (user.state, user.awaits_confirmation) = (state, awaits_confirmation))
        })
    };
    use UserState::{Active, Disabled, Pending};
    for (state, awaits, expected) in [
        (Pending, true, false),
        (Pending, false, false),
        // Keeping somebody out does not show them, letting them in does.
        (Disabled, false, false),
        (Active, true, false),
        (Active, false, true),
        (Disabled, false, true),
        (Active, false, true),
    ] {
        set(state, awaits).await.unwrap();
        assert_eq!(seen().await, expected, "{state:?} {awaits}");
    }
}

#[test]
fn an_address_has_one_form_and_no_tricks() {
    for (typed, expected) in [
        (" Ana+news@Example.ORG ", Some("ana+news@example.org")),
        ("o'neil.m@a-b.example", Some("o'neil.m@a-b.example")),
        ("ünï@exämple.example", Some("ünï@xn--exmple-cua.example")),
        // What looks like another domain is one to mail servers.
        ("a@ｅvil.example", Some("a@evil.example")),
        ("a@localhost", Some("a@localhost")),
        ("<a@evil.example>", None),
        ("a@evil.example(x)@good.example", None),
        ("a@evil.example,b@good.example", None),
        ("\"a b\"@good.example", None),
        ("a..b@good.example", None),
        (".a@good.example", None),
        ("a@[127.0.0.1]", None),
        ("a@127.0.0.1", None),
        ("a@good..example", None),
        ("a@good.example.", None),
        ("a@good.example;x", None),
        ("a@-good.example", None),
        ("a@intranet", None),
        ("a@good.example\r\nbcc: b@evil.example", None),
        ("@good.example", None),
        ("a@", None),
        ("a", None),
    ] {
        assert_eq!(clean_email(typed).ok().as_deref(), expected, "{typed:?}");
    }
}

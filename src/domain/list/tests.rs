use super::*;
use crate::domain::page::Page;
use crate::domain::status::Draft;
use crate::domain::testing::World;
use crate::domain::timeline;
use crate::model::Visibility;

async fn make(world: &World, owner: Id, form: ListForm) -> Result<List, ListError> {
    world.write(move |tx, moment| create(tx, moment, owner, &form)).await
}

fn named(title: &str) -> ListForm {
    ListForm { title: Some(title.to_owned()), ..ListForm::default() }
}

async fn put(world: &World, list: &List, member: Id) -> Result<(), ListError> {
    let (owner, id) = (list.owner, list.id);
    world.write(move |tx, moment| add(tx, moment, owner, id, &[member])).await
}

async fn shown(world: &World, list: &List) -> Vec<Id> {
    let (viewer, id) = (world.sees(list.owner), list.id);
    let page = world.read(move |tx| timeline::list(tx, viewer, id, &Page::first(40))).await;
    page.expect("the list is there").items.into_iter().map(|loaded| loaded.status.id).collect()
}

#[tokio::test]
async fn titles_are_checked_and_lists_counted() {
    let world = World::new();
    let ana = world.account(None).await;
    assert!(matches!(make(&world, ana, named(" ")).await, Err(ListError::TitleBlank)));
    assert!(matches!(make(&world, ana, ListForm::default()).await, Err(ListError::TitleBlank)));
    let long = "x".repeat(TITLE_CHARACTERS_MAX + 1);
    assert!(matches!(make(&world, ana, named(&long)).await, Err(ListError::TitleTooLong)));
    for n in 0..LISTS_MAX {
        make(&world, ana, named(&n.to_string())).await.unwrap();
    }
    assert!(matches!(make(&world, ana, named("more")).await, Err(ListError::TooMany)));
}

#[tokio::test]
async fn each_policy_admits_its_answers() {
    let world = World::new();
    let ana = world.account(None).await;
    let (ben, cia, dan) = (world.account(None).await, world.account(None).await, world.account(None).await);
    for followed in [ben, cia] {
        world.follow(ana, followed).await;
    }
    let of_ana = world.post(ana, Visibility::Public).await;
    let of_cia = world.post(cia, Visibility::Public).await;
    let of_dan = world.post(dan, Visibility::Public).await;
    let policies = [RepliesPolicy::None, RepliesPolicy::List, RepliesPolicy::Followed];
    let mut lists = Vec::new();
    for replies in policies {
        let form = ListForm { replies: Some(replies), ..named("l") };
        let list = make(&world, ana, form).await.unwrap();
        put(&world, &list, ben).await.unwrap();
        lists.push(list);
    }
    let post = world.post(ben, Visibility::Private).await;
    let to_ana = world.reply(ben, of_ana).await;
    let to_cia = world.reply(ben, of_cia).await;
    world.reply(ben, of_dan).await;
    let to_self = world.reply(ben, post).await;
    world.post(cia, Visibility::Public).await;
    assert_eq!(shown(&world, &lists[0]).await, [to_self, to_ana, post]);
    assert_eq!(shown(&world, &lists[1]).await, [to_self, to_ana, post]);
    assert_eq!(shown(&world, &lists[2]).await, [to_self, to_cia, to_ana, post]);
    put(&world, &lists[1], cia).await.unwrap();
    let between_members = world.reply(ben, of_cia).await;
    assert_eq!(shown(&world, &lists[1]).await[0], between_members);
    assert_eq!(shown(&world, &lists[0]).await[0], to_self);
}

#[tokio::test]
async fn an_exclusive_list_takes_its_members_out_of_home() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let before = world.post(ben, Visibility::Public).await;
    let list = make(&world, ana, named("quiet")).await.unwrap();
    put(&world, &list, ben).await.unwrap();
    assert_eq!((world.home(ana).await, shown(&world, &list).await), (vec![before], vec![before]));
    let (id, exclusive) = (list.id, ListForm { is_exclusive: Some(true), ..ListForm::default() });
    world.write(move |tx, _| update(tx, ana, id, &exclusive)).await.unwrap();
    let after = world.post(ben, Visibility::Public).await;
    assert!(world.home(ana).await.is_empty());
    assert_eq!(shown(&world, &list).await, [after, before]);
    world.write(move |tx, _| remove(tx, ana, id, &[ben])).await.unwrap();
    assert!(shown(&world, &list).await.is_empty());
    let back = world.post(ben, Visibility::Public).await;
    assert_eq!(world.home(ana).await, [back]);
}

#[tokio::test]
async fn only_the_followed_and_oneself_can_be_put_on_a_list() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    let list = make(&world, ana, named("l")).await.unwrap();
    assert!(matches!(put(&world, &list, ben).await, Err(ListError::NotFound)));
    put(&world, &list, ana).await.unwrap();
    let own = world.post(ana, Visibility::Public).await;
    let direct = Draft { mentions: vec![ben], ..World::draft(ana, Visibility::Direct) };
    world.publish(direct).await.unwrap();
    assert_eq!(shown(&world, &list).await, [own]);
    world.follow(ana, ben).await;
    put(&world, &list, ben).await.unwrap();
    assert!(matches!(put(&world, &list, ben).await, Err(ListError::AlreadyThere)));
    let foreign = List { owner: ben, ..list.clone() };
    assert!(matches!(put(&world, &foreign, ana).await, Err(ListError::NotFound)));
}

#[tokio::test]
async fn deleting_a_list_leaves_nothing_behind() {
    let world = World::new();
    let (ana, ben) = (world.account(None).await, world.account(None).await);
    world.follow(ana, ben).await;
    let list = make(&world, ana, named("l")).await.unwrap();
    put(&world, &list, ben).await.unwrap();
    put(&world, &list, ana).await.unwrap();
    world.post(ben, Visibility::Public).await;
    let id = list.id;
    world.write(move |tx, _| delete(tx, ana, id)).await.unwrap();
    let left = world
        .read(move |tx| {
            let rows = tx.scan(LIST_TIMELINE, Scan::all())?.len() + tx.scan(LIST_MEMBERS, Scan::all())?.len();
            let to_self = tx.get(RELATION, &(ana, ana))?;
            Ok((rows, to_self, tx.get(RELATION, &(ana, ben))?.unwrap_or_default().lists))
        })
        .await;
    assert_eq!(left, (0, None, Vec::new()));
}

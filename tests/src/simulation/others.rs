//! Other people, who edit Slack while the client works: in its pages, behind SCIM's back.

use super::service::deactivate;
use fastrand::Rng;
use slack_sim::Simulator;

/// What other people may touch. They keep to what a roster can follow: nobody takes a name that the roster needs.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// People, by id, but for those of whom the roster says that they are protected as they are.
    pub people: Vec<String>,
    /// Members of groups, by id.
    pub members: Vec<String>,
    /// Groups whose members may change, by id.
    pub groups: Vec<String>,
    /// Groups that nobody manages and that may be renamed or deleted, by id.
    pub loose_groups: Vec<String>,
    /// userName and address of people whom the roster is to create: somebody may be quicker.
    pub joiners: Vec<(String, String)>,
}

/// The other people of a workspace.
#[derive(Debug, Clone)]
pub struct Others {
    rng: Rng,
    /// How many of a thousand requests find that somebody has just done something.
    rate: u32,
    reach: Reach,
    newcomers: usize,
}

impl Others {
    /// People who do something with the likelihood that `seed` draws.
    pub fn drawn(seed: u64, reach: Reach) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x07_4E25);
        let rate = [0, 0, 0, 10, 40, 120][rng.usize(..6)];
        Self { rng, rate, reach, newcomers: 0 }
    }

    /// Nobody.
    pub fn none() -> Self {
        Self { rng: Rng::with_seed(0), rate: 0, reach: Reach::default(), newcomers: 0 }
    }

    /// How many of a thousand requests find that somebody has just done something.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Gives them their moment; says whether they used it.
    pub fn act(&mut self, simulator: &Simulator) -> bool {
        if self.rate == 0 || self.rng.u32(..1000) >= self.rate {
            return false;
        }
        let switches = simulator.switches();
        let person = self.rng.choice(&self.reach.people).cloned();
        match self.rng.u32(..100) {
            0..40 => {
                let Some(id) = person else { return false };
                let text = format!("by hand {}", self.rng.u8(..10));
                let which = self.rng.u8(..6);
                simulator.edit(|world| {
                    world.edit_user(&id, |user| match which {
                        0 => user.title = text,
                        1 => user.department = Some(text),
                        2 => user.given_name = text,
                        3 => user.phone = Some(format!("+1 999 {}", text.len())),
                        4 => user.employee_number = Some(text),
                        _ => user.role = None,
                    })
                })
            }
            40..48 => {
                let Some(id) = person else { return false };
                simulator.edit(|world| deactivate(world, &id, switches.deactivated_memberships));
                true
            }
            48..53 => {
                let Some(id) = person else { return false };
                simulator.edit(|world| world.edit_user(&id, |user| user.active = true))
            }
            53..75 => {
                let group = self.rng.choice(&self.reach.groups).cloned();
                let member = self.rng.choice(&self.reach.members).cloned();
                let (Some(group), Some(member)) = (group, member) else { return false };
                simulator.edit(|world| {
                    let Some(name) =
                        world.user(&member).filter(|user| user.active).map(|user| user.user_name.clone())
                    else {
                        return false;
                    };
                    let mut members: Vec<String> =
                        world.member_names(&group).into_iter().map(str::to_owned).collect();
                    match members.iter().position(|known| *known == name) {
                        Some(at) => drop(members.remove(at)),
                        None => members.push(name),
                    }
                    let members: Vec<&str> = members.iter().map(String::as_str).collect();
                    world.set_members(&group, &members)
                })
            }
            75..80 => {
                let Some(group) = self.rng.choice(&self.reach.loose_groups).cloned() else { return false };
                let name = format!("by hand {}", self.rng.u8(..10));
                simulator.edit(|world| world.edit_group(&group, |group| group.display_name = name))
            }
            80..83 => {
                let Some(group) = self.rng.choice(&self.reach.loose_groups).cloned() else { return false };
                simulator.edit(|world| world.delete_group(&group))
            }
            83..90 => {
                let Some((name, email)) = self.rng.choice(&self.reach.joiners).cloned() else { return false };
                simulator.edit(|world| world.add_user(&name, &email).is_some())
            }
            _ => {
                self.newcomers += 1;
                let name = format!("walkin{}", self.newcomers);
                simulator.edit(|world| world.add_user(&name, &format!("{name}@w.example")).is_some())
            }
        }
    }
}

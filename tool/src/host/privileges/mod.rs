//! What pfsnoop may do, and what it gives up once it is set up. Capabilities, `no_new_privs` and
//! Landlock belong to a thread (capabilities(7), landlock(7)), so each thread gives them up itself.

mod capabilities;
mod entering;
mod in_force;
mod needs;
mod profile;
mod sandbox;

pub use entering::on_entering_thread;
pub use in_force::{InForce, in_force};
pub use needs::Needs;
pub use profile::{begin, give_up_all, give_up_all_before_exec, settle_thread};
pub use sandbox::without_files;

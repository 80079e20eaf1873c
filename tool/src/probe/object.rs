//! The programs and maps of our object, by name.

use aya::Ebpf;
use aya::maps::Map;

use super::error::{ProbeError, missing, program_failed};

/// The program of that name in our object, as its type.
pub(super) fn program<'a, P>(
    programs: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut P, ProbeError>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program, Error = aya::programs::ProgramError>,
{
    let program =
        programs.program_mut(name).ok_or_else(|| missing("find a kernel program", name))?;
    program.try_into().map_err(program_failed("use a kernel program"))
}

/// Takes the map of that name out of our object.
pub(super) fn take_map(programs: &mut Ebpf, name: &'static str) -> Result<Map, ProbeError> {
    programs.take_map(name).ok_or_else(|| missing("find a map", name))
}

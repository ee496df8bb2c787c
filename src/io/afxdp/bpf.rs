//! The wall around the `bpf` system call.
#![expect(
    unsafe_code,
    reason = "bpf() takes a pointer to attributes, and answers with a new file descriptor"
)]

use rustix::io::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const MAP_CREATE: u32 = 0;
const MAP_UPDATE_ELEM: u32 = 2;
const PROG_LOAD: u32 = 5;
const LINK_CREATE: u32 = 28;

const MAP_TYPE_XSKMAP: u32 = 17;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_TYPE_XDP: u32 = 37;

/// The attributes of a command, as the kernel reads them.
///
/// # Safety
/// It is `repr(C)`, has no padding and the layout of its command, and what its addresses name
/// outlives the call.
unsafe trait Attributes {
    const COMMAND: u32;
}

/// Makes a map from a queue's number to the socket that receives its frames.
pub(super) fn create_xskmap(queues: u32) -> Result<OwnedFd, Errno> {
    create(&MapCreate {
        map_type: MAP_TYPE_XSKMAP,
        key_bytes: 4,
        value_bytes: 4,
        max_entries: queues,
        flags: 0,
        inner_map: 0,
        numa_node: 0,
        name: *b"sekisho\0\0\0\0\0\0\0\0\0",
    })
}

/// Sets an element of a map whose keys and values are numbers of 32 bits.
pub(super) fn update(map: BorrowedFd<'_>, key: u32, value: BorrowedFd<'_>) -> Result<(), Errno> {
    let value = value.as_raw_fd();
    call(&MapUpdate {
        map: number(map),
        unused: 0,
        key: &raw const key as u64,
        value: &raw const value as u64,
        flags: 0,
    })?;
    Ok(())
}

/// An instruction of the kernel's machine.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) code: u8,
    /// Target in the lower half, source in the upper one; on a big-endian machine the other way
    /// round.
    pub(super) registers: u8,
    pub(super) offset: i16,
    pub(super) immediate: i32,
}

/// Loads an XDP program.
pub(super) fn load_xdp(instructions: &[Instruction], flags: u32) -> Result<OwnedFd, Errno> {
    create(&ProgramLoad {
        kind: PROG_TYPE_XDP,
        instructions: u32::try_from(instructions.len()).map_err(|_| Errno::TOOBIG)?,
        first: instructions.as_ptr() as u64,
        // No function that the program calls asks for another licence.
        license: c"Dual MIT/GPL".as_ptr() as u64,
        log_level: 0,
        log_bytes: 0,
        log: 0,
        kernel_version: 0,
        flags,
        name: *b"sekisho\0\0\0\0\0\0\0\0\0",
        interface: 0,
        attach_type: ATTACH_TYPE_XDP,
    })
}

/// Ties an XDP program to an interface, as long as the link is held.
pub(super) fn link_xdp(
    program: BorrowedFd<'_>,
    interface: u32,
    flags: u32,
) -> Result<OwnedFd, Errno> {
    create(&LinkCreate {
        program: number(program),
        interface,
        attach_type: ATTACH_TYPE_XDP,
        flags,
    })
}

#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_bytes: u32,
    value_bytes: u32,
    max_entries: u32,
    flags: u32,
    inner_map: u32,
    numa_node: u32,
    name: [u8; 16],
}

#[repr(C)]
struct MapUpdate {
    map: u32,
    unused: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    kind: u32,
    instructions: u32,
    first: u64,
    license: u64,
    log_level: u32,
    log_bytes: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_type: u32,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

// SAFETY: the fields of `union bpf_attr` for the command up to `map_name`; it names no memory.
unsafe impl Attributes for MapCreate {
    const COMMAND: u32 = MAP_CREATE;
}

// SAFETY: those of the commands on elements; `update` has the key and the value on its stack.
unsafe impl Attributes for MapUpdate {
    const COMMAND: u32 = MAP_UPDATE_ELEM;
}

// SAFETY: those of the command up to `expected_attach_type`; the instructions are borrowed by
// `load_xdp`, the licence is static, and there is no log.
unsafe impl Attributes for ProgramLoad {
    const COMMAND: u32 = PROG_LOAD;
}

// SAFETY: those of the command up to `flags`; it names no memory.
unsafe impl Attributes for LinkCreate {
    const COMMAND: u32 = LINK_CREATE;
}

fn number(descriptor: BorrowedFd<'_>) -> u32 {
    // A descriptor that somebody has is not negative.
    descriptor.as_raw_fd().unsigned_abs()
}

/// Carries out a command that answers with a descriptor.
fn create<A: Attributes>(attributes: &A) -> Result<OwnedFd, Errno> {
    let descriptor = call(attributes)?;
    // SAFETY: the commands that are given to this function answer with a new descriptor, which
    // nobody else knows of.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn call<A: Attributes>(attributes: &A) -> Result<i32, Errno> {
    // SAFETY: by the contract of `Attributes` the kernel finds what the command asks for, and reads
    // no further than the size says; none of these commands writes to them.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            A::COMMAND,
            std::ptr::from_ref(attributes),
            size_of::<A>(),
        )
    };
    match i32::try_from(answer) {
        Ok(answer) if answer >= 0 => Ok(answer),
        _ => {
            let cause = std::io::Error::last_os_error();
            Err(Errno::from_io_error(&cause).unwrap_or(Errno::INVAL))
        }
    }
}

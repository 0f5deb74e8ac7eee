//! Numbers that no enumeration and no set of flags has: each is `EINVAL`.
#![no_std]

#[macro_use]
mod wasi;
use wasi::*;

fn run() {
    for id in [4, 5, 255, 256, u32::MAX] {
        fails!(clock_res_get(id), INVAL);
        fails!(clock_time_get(id, 0), INVAL);
    }
    let dir = scratch();
    let fd = ok!(open(dir, "digits.txt", read_write(0)));
    for advice in [6, 255] {
        fails!(fd_advise(fd, 0, 1, advice), INVAL);
    }
    for whence in [3, 255] {
        fails!(fd_seek(fd, 0, whence), INVAL);
    }
    same!(ok!(fd_tell(fd)), 0);
    for flags in [0x20, 0x8000] {
        fails!(fd_fdstat_set_flags(fd, flags), INVAL);
        fails!(open(dir, "digits.txt", How { fdflags: flags, ..read_only(0) }), INVAL);
    }
    for flags in [0x10, 0x8000] {
        fails!(fd_filestat_set_times(fd, 0, 0, flags), INVAL);
        fails!(path_filestat_set_times(dir, 0, "digits.txt", 0, 0, flags), INVAL);
        fails!(open(dir, "made", read_write(oflags::CREAT | flags)), INVAL);
    }
    check!(!exists(dir, "made"), "a refused open creates nothing");
    let mut event = [Event::default()];
    let odd = [Subscription { tag: 3, ..Subscription::default() }];
    // A wait that is refused at once, or one whose only event is the refusal.
    match poll_oneoff(&odd, &mut event) {
        Ok(count) => {
            same!(count, 1);
            same!(event[0].error, INVAL.0);
        }
        refused => fails!(refused, INVAL),
    }
    ok!(fd_close(fd));
}

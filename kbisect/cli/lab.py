# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect lab`: one step of a campaign, or one guest, by itself."""

from __future__ import annotations

import os
import shlex
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect import temporary
from kbisect.cli import campaigns
from kbisect.cli.amounts import Amount
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError
from kbisect.report import lab as report

if TYPE_CHECKING:
    from kbisect.lab.guest import Reported
    from kbisect.lab.qemu import Guest

_STAGES = ("config", "build", "boot", "test", "parse")


class _RevisionFirst(click.Command):
    """A command whose revision may come before options; a script's own ones stay with it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_value = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            at += 2 if args[at] in takes_value else 1
        if at < len(args) and args[at] != "--":
            args = [*args[:at], "--rev", *args[at:]]
        return super().parse_args(ctx, args)


@click.group()
def lab() -> None:
    """Test one commit, or boot one guest."""


@lab.command(
    cls=_RevisionFirst,
    options_metavar="REV [OPTIONS]",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: git bisect run kbisect lab step HEAD --recipe mcast.toml",
)
@click.option("--rev", "revision", hidden=True)
@click.option("--recipe", metavar="FILE", help="How to build, boot and test, in TOML.")
@click.option(
    "--stage",
    "names",
    multiple=True,
    type=click.Choice(_STAGES),
    help="Run this stage alone (repeatable).",
)
@click.option("--timeout", type=Amount(0, min_open=True), metavar="S", help="A limit.")
@click.option(
    "--signature",
    "hunted",
    metavar="WHAT",
    help='What counts as bad: "hang", "exit N", or a crash as this command prints it.',
)
@click.option("--no-checkout", is_flag=True, help="Check nothing out; KBISECT_COMMIT says which.")
@click.option(
    "--keep", metavar="DIR", help="Where output is kept, or was: an old console is parsed there."
)
@click.argument("script", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [ARGS]...")
@json_option
@pass_session
def step(
    session: Session,
    revision: str | None,
    recipe: str | None,
    names: tuple[str, ...],
    timeout: float | None,
    hunted: str | None,
    no_checkout: bool,
    keep: str | None,
    script: tuple[str, ...],
    as_json: bool,
) -> int:
    """Test one commit as a campaign would, and leave with what git bisect understands.

    0 good, 1 bad, 125 can't be tested, 128 the machine failed. Nobody knows here what the bad end
    does, so git's rule holds: 1 to 124 of the test is bad, while a time limit or a kernel crash
    says nothing. To hunt one of those, give --signature; the recipe may have it too.
    """
    from kbisect.bisect.verdict import StageName
    from kbisect.lab import signatures, single
    from kbisect.lab.work import Work

    if revision is None:
        raise UsageError("no commit was named", hint="kbisect lab step REV ./test.sh")
    if not script and recipe is None:
        raise UsageError("nothing to run was given", hint="kbisect lab step REV ./test.sh")
    work = Work.find(script, recipe, timeout).whole()
    done = single.run(
        session.repository,
        campaigns.resolve(session, revision),
        work,
        stages=tuple(StageName(name) for name in names),
        folder=Path(keep).absolute() if keep is not None else None,
        signature=signatures.named(hunted) if hunted is not None else None,
        checkout=not no_checkout,
    )
    session.answer(
        "lab-step", report.document(done), lambda style: report.step(done, style), as_json
    )
    return done.exit_code


@lab.command(epilog="Example: kbisect lab qemu --run --kernel bzImage --initrd initramfs")
@click.option("--kernel", required=True, metavar="FILE", help="What to boot.")
@click.option("--initrd", metavar="FILE", help="With an /init that reports.")
@click.option("--append", default="", metavar="WORDS", help="More of the kernel's command line.")
@click.option("--memory", default="512M", metavar="SIZE", help="How much (512M).")
@click.option("--cpus", default=1, type=click.IntRange(1, 255), metavar="N", help="How many (1).")
@click.option(
    "--arch", type=click.Choice(["x86_64", "arm64"]), help="The guest's (default: this machine's)."
)
@click.option(
    "--accel",
    type=click.Choice(["auto", "kvm", "tcg"]),
    default="auto",
    help="auto: KVM if a guest starts under it.",
)
@click.option(
    "--net",
    type=click.Choice(["none", "closed", "open"]),
    default="none",
    help="closed: a card, but no way out; open: through this machine.",
)
@click.option("--console", metavar="FILE", help="For the serial console.")
@click.option("--status", metavar="FILE", help="For what the guest reports.")
@click.option("--run", "runs", is_flag=True, help="Run it, and leave with the guest's status.")
@click.option("--timeout", type=Amount(0, min_open=True), metavar="S", help="A limit.")
@json_option
@pass_session
def qemu(
    session: Session,
    kernel: str,
    initrd: str | None,
    append: str,
    memory: str,
    cpus: int,
    arch: str | None,
    accel: str,
    net: str,
    console: str | None,
    status: str | None,
    runs: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Print QEMU's command line for a guest, or run it.

    The guest writes `status N` to the virtio port org.kbisect.status, or prints
    `kbisect-status MARK N` on its console, MARK being kbisect.mark= of its command line. It has no
    network, a panic ends it, and so does the end of whoever started it. Paths begin at
    KBISECT_BUILD if that is set; the console goes to KBISECT_CONSOLE.

    With --run it leaves with the guest's status (at most 125), 124 past the limit, 255 if the guest
    ended without a report, and 128 if QEMU itself failed.
    """
    from kbisect.lab import guest as guests
    from kbisect.lab import qemu

    build = os.environ.get("KBISECT_BUILD")
    base = Path(build) if build else Path()
    machine = arch or qemu.here()
    chosen = accel == "kvm" or (accel == "auto" and _kvm_works(session, machine, build))
    kept = os.environ.get("KBISECT_OUT")
    # Within a step its own folder is the place: a step may be killed, and leaves nothing elsewhere.
    folder = nullcontext(Path(kept)) if kept else temporary.folder("guest")
    with campaigns.ended_politely(), folder as place:
        shown = console or os.environ.get("KBISECT_CONSOLE")
        reported = guests.status_file(place) if kept else place / "status.txt"
        guest = qemu.Guest(
            kernel=base / kernel,
            initrd=base / initrd if initrd else None,
            append=append,
            memory=memory,
            cpus=cpus,
            arch=machine,
            kvm=chosen,
            console=Path(shown or ("console.txt" if not runs else f"{place}/console.txt")),
            status=Path(status or ("status.txt" if not runs else reported)),
            mark=qemu.new_mark(),
            network=net != "none",
            open_network=net == "open",
        )
        command = qemu.command(guest)
        content: dict[str, object] = {
            "command": command,
            "accel": "kvm" if chosen else "tcg",
            "console": guest.console,
            "status_file": guest.status,
            "mark": guest.mark,
        }
        if not runs:
            session.answer("lab-qemu", content, lambda _: f"{shlex.join(command)}\n", as_json)
            return 0
        session.say(shlex.join(command))
        came = _boot(session, guest, place / "qemu.log", timeout)
        text = guest.console.read_text("utf-8", "replace") if not shown else ""
        content |= {"status": came.status, "exit_code": came.exit_code}
        content |= {"seconds": round(came.ended.seconds, 3)}
        session.answer("lab-qemu", content, lambda _: report.console(text), as_json)
        return came.exit_code


def _kvm_works(session: Session, machine: str, build: str | None) -> bool:
    """Whether KVM runs guests of an architecture here; what is there and doesn't is told."""
    from kbisect.lab import kvm, qemu

    if machine != qemu.here():
        return False
    found = kvm.remembered(qemu.emulator(machine), Path(build) if build else None)
    if found not in {kvm.Kvm.WORKS, kvm.Kvm.ABSENT}:
        session.say(f"{found}, so the guest is emulated")
    return found is kvm.Kvm.WORKS


def _boot(session: Session, guest: Guest, log: Path, timeout: float | None) -> Reported:
    """Boot a guest, and tell what QEMU itself said."""
    from kbisect.lab import guest as guests

    log.unlink(missing_ok=True)  # of a run by hand before this one
    came = guests.boot(guest, log, timeout)
    if said := log.read_text("utf-8", "replace").rstrip("\n"):
        session.say(said)
    return came

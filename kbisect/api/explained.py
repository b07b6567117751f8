# SPDX-License-Identifier: GPL-2.0-or-later
"""A compiler's complaint with what it comes from and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kbisect.api.complaints import Complaint
from kbisect.api.declarations import Declaration
from kbisect.api.findings import Finding
from kbisect.api.writing import Advice
from kbisect.history import releases as naming


class Verdict(Enum):
    """What became of the name; SAME is one that is there as it always was."""

    GONE = "gone"
    CHANGED = "changed"
    MOVED = "moved"
    NEW = "new"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One complaint explained.

    Attributes
    ----------
    verdict : Verdict; NEW when the name came later than the kernel that was built against
    name : as findings give it
    finding : the change, with its commit and release; None when there is none
    subject : the commit's
    use : the line as it is, empty when unknown
    advice : the line as it should be, and by whose example
    declaration : the new declaration, None when there is none
    release : since when; None when unknown
    test : what the new kernel has and the old one lacks, for a guard by feature; empty if nothing
    nearest : names like an unknown one
    known_until : the newest release looked at, for a name that is there still
    follows : what else was explained in this line, if this comes of it; empty if nothing
    """

    complaint: Complaint
    verdict: Verdict
    name: str
    finding: Finding | None = None
    subject: str = ""
    use: str = ""
    advice: Advice = field(default_factory=Advice)
    declaration: Declaration | None = None
    release: str | None = None
    test: str = ""
    nearest: tuple[str, ...] = ()
    known_until: str = ""
    follows: str = ""

    @property
    def guard(self) -> str:
        """The preprocessor line for code that must build on both sides of the change."""
        if self.verdict is Verdict.SAME:
            return ""
        numbers = naming.version((self.release or "").split("-rc")[0])
        if not numbers:
            return ""
        listed = ",".join(str(number) for number in (*numbers, 0, 0)[:3])
        return f"#if LINUX_VERSION_CODE < KERNEL_VERSION({listed})"

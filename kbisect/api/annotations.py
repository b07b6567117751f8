# SPDX-License-Identifier: GPL-2.0-or-later
"""Words in kernel headers that are no C, and types that differ in name only. Pure: tables."""

from __future__ import annotations

import re
from collections.abc import Callable

# For sparse: they say which address space or byte order, not what the code looks like.
SPARSE = (
    *("__rcu", "__user", "__iomem", "__percpu", "__kernel", "__force", "__bitwise", "__bitwise__"),
    *("__private", "__nocast", "__safe", "__kptr", "__seg_gs"),
)

# For the compiler, the linker and the debugger.
_PLAIN = """
    ____cacheline_aligned ____cacheline_aligned_in_smp __cacheline_aligned
    __cacheline_aligned_in_smp ____cacheline_internodealigned_in_smp
    __cacheline_internodealigned_in_smp __aligned_largest __read_mostly __ro_after_init
    __must_check __deprecated __deprecated_for_modules __maybe_unused __always_unused __used
    __attribute_const__ __attribute_pure__ __pure __const __malloc __weak __cold __hot
    __init __exit __initdata __initconst __exitdata __exit_refok __init_refok __ref __refdata
    __refconst __devinit __devexit __devinitdata __devinitconst __devexitdata __net_init
    __net_exit __net_initdata __cpuinit __meminit __meminitdata __packed __noreturn noinline
    __noinline noinline_for_stack __always_inline asmlinkage fastcall notrace __visible __kprobes
    __sched __lockfunc __printf_like __randomize_layout __no_randomize_layout __designated_init
    __latent_entropy __flatten __no_kcsan __no_sanitize_address __nonstring __nonstring_array
    __returns_nonnull __cfi_generictype __bpf_kfunc __naked __bpfcall __inline__ __inline inline
    __ATM_API_ALIGN IRDA_ALIGN __KINLINE randomized_struct_fields_start
    randomized_struct_fields_end __extension__ INDIRECT_CALLABLE_SCOPE __restrict __restrict__
    restrict PACKED __attribute_used__ __attribute_unused__ CRYPTO_MINALIGN_ATTR __no_profile
    __no_stack_protector __nocfi __noscs __exitused __fix_address __iftd
    __rte_experimental __rte_internal __rte_unused __rte_used __rte_always_inline __rte_noinline
    __rte_noreturn __rte_hot __rte_cold __rte_weak __rte_deprecated __rte_restrict __rte_pure
    __rte_packed __rte_packed_begin __rte_packed_end __rte_cache_aligned __rte_cache_min_aligned
    __rte_warn_unused_result __rte_may_alias __rte_malloc __rte_lockable __rte_guarded
    __rte_no_thread_safety_analysis __rte_scoped_lockable EFIAPI __efi_runtime __efi_runtime_data
    ZSTDLIB_API ZSTDLIB_STATIC_API ZSTDERRORLIB_API
"""
# The same with an argument list.
_CALLED = """
    __attribute__ __attribute __aligned __printf __scanf __acquires __releases __acquire __release
    __must_hold __cond_acquires __cond_lock __counted_by __counted_by_le __counted_by_be
    __counted_by_ptr __section __alloc_size __assume_aligned __realloc_size __guarded_by
    __pt_guarded_by __no_sanitize __diagnose_as __compiletime_error __compiletime_warning
    __must_hold_shared __acquires_shared __releases_shared __format_arg __nonnull __regparm __free
    kmemcheck_bitfield_begin kmemcheck_bitfield_end
    __diag __alias __malloc_like __asm__ __context_unsafe __no_context_analysis
    __cacheline_group_begin __cacheline_group_end __cacheline_group_begin_aligned
    __cacheline_group_end_aligned CACHELINE_PADDING ZONE_PADDING __class_guard KABI_RESERVE
    ANDROID_KABI_RESERVE RH_KABI_RESERVE
    __rte_aligned __rte_alloc_size __rte_alloc_align __rte_dealloc __rte_format_printf
    __rte_nonnull __rte_guarded_by __rte_counted_by __rte_requires_capability __rte_lockable_name
    __rte_unlock_function __rte_exclusive_lock_function __rte_exclusive_locks_required
    __rte_shared_lock_function __rte_shared_locks_required __rte_exclusive_trylock_function
    __rte_shared_trylock_function __rte_assert_exclusive_lock __rte_assert_shared_lock
    __rte_acquire_capability __rte_acquire_shared_capability __rte_release_capability
    __rte_release_shared_capability __rte_try_acquire_capability
"""
NESTED = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"


def _words(table: str) -> str:
    return "|".join(sorted(table.split(), key=len, reverse=True))


BLANKED = re.compile(
    rf"\b(?:(?:{_words(_CALLED)})\s*{NESTED}"
    rf"|(?:{_words(_PLAIN)}|{'|'.join(SPARSE)})\b)"
)
KNOWN = frozenset((*_CALLED.split(), *_PLAIN.split(), *SPARSE))
_NAME = re.compile(r"[A-Za-z_]\w*")


def without(text: str, instead: Callable[[re.Match[str]], str]) -> str:
    """Return C text with each annotation replaced; nearly all text has none, and that is cheap."""
    if KNOWN.isdisjoint(_NAME.findall(text)):
        return text
    return BLANKED.sub(instead, text)


SPARSE_WORD = re.compile(rf"\b(?:{'|'.join(SPARSE)})\b")

# Macros that declare members: what they stand for, by the names of their arguments.
MEMBERS = {
    "DECLARE_BITMAP": "unsigned long {0}[{1}]",
    "__ETHTOOL_DECLARE_LINK_MODE_MASK": "unsigned long {0}[]",
    "DECLARE_PHY_INTERFACE_MASK": "unsigned long {0}[]",
    "IP_TUNNEL_DECLARE_FLAGS": "unsigned long {0}[]",
    "DECLARE_HASHTABLE": "struct hlist_head {0}[1 << ({1})]",
    "DECLARE_FLEX_ARRAY": "{0} {1}[]",
    "__DECLARE_FLEX_ARRAY": "{0} {1}[]",
    "__bpf_md_ptr": "{0} {1}",
    # A counter for each CPU, or one for all; in old releases two of them.
    "DEFINE_SNMP_STAT": "{0} *{1}",
    "DEFINE_SNMP_STAT_ATOMIC": "{0} *{1}",
    "NET_DEV_STAT": "union {{ unsigned long {0}; atomic_long_t __{0}; }}",
    "DEFINE_DMA_UNMAP_ADDR": "dma_addr_t {0}",
    "DEFINE_DMA_UNMAP_LEN": "__u32 {0}",
}
_ARGUMENT = r"((?:[^(),]|\([^()]*\))*)"
_MEMBER = re.compile(
    rf"\b({_words(' '.join(MEMBERS))})\s*\({_ARGUMENT}(?:,{_ARGUMENT})?\)|\b(tc_gen)(?=\s*;)"
)
_GENERIC_ACTION = "__u32 index; __u32 capab; int action; int refcnt; int bindcnt"


def members(text: str) -> str:
    """Return C text with the members that macros declare written out, each in its line."""

    def written(found: re.Match[str]) -> str:
        if found[4]:
            return _GENERIC_ACTION
        return MEMBERS[found[1]].format(found[2].strip(" \t"), (found[3] or "").strip(" \t"))

    return _MEMBER.sub(written, text)


GROUPS = {
    # macro: (arguments before the members, which of them names the group, which its struct tag)
    "struct_group": (1, 0, None),
    "struct_group_attr": (2, 0, None),
    "struct_group_tagged": (2, 1, 0),
    "__struct_group": (3, 1, 0),
}
GROUP = re.compile(rf"\b({'|'.join(GROUPS)})\s*\(")

# Different words for one machine type: changing between them breaks no caller.
_SAME = {
    8: "u8 __u8 uint8_t unsigned_char u_int8_t u_char",
    -8: "s8 __s8 int8_t signed_char",
    16: "u16 __u16 __be16 __le16 __sum16 uint16_t unsigned_short unsigned_short_int u_int16_t"
    " u_short sa_family_t __kernel_sa_family_t",
    -16: "s16 __s16 int16_t short short_int",
    32: "u32 __u32 __be32 __le32 __wsum uint32_t unsigned_int unsigned u_int32_t gfp_t u_int"
    " fmode_t slab_flags_t __poll_t blk_opf_t",
    -32: "s32 __s32 int32_t int signed_int signed pci_power_t netdev_tx_t irqreturn_t",
    64: "u64 __u64 __be64 __le64 uint64_t unsigned_long_long u_int64_t aligned_u64 aligned_be64"
    " aligned_le64 __aligned_u64 __aligned_be64 __aligned_le64",
    -64: "s64 __s64 int64_t long_long",
    65: "unsigned_long unsigned_long_int ulong u_long",
    -65: "long long_int",
}
_MACHINE = {
    word.replace("_", " ")
    if word.startswith(("unsigned_", "signed_", "long_", "short_"))
    else word: size
    for size, names in _SAME.items()
    for word in names.split()
}
_ANNOTATED = {
    *("__be16", "__le16", "__sum16", "__be32", "__le32", "__wsum", "__be64", "__le64", "gfp_t"),
    *("__poll_t", "slab_flags_t", "fmode_t", "netdev_tx_t", "irqreturn_t", "pci_power_t"),
    *("blk_opf_t",),
}
_BASE = re.compile(r"^((?:\w+ )*\w+)(.*)$", re.DOTALL)


def machine_type(type_text: str) -> str:
    """Return the type with its base replaced by the machine type it is, `<32>` for `__be32 *`.

    >>> machine_type("__be32 *"), machine_type("struct sock *")
    ('<32> *', 'struct sock *')
    """
    found = _BASE.match(type_text)
    if not found:
        return type_text
    size = _MACHINE.get(found.group(1))
    return type_text if size is None else f"<{size}>{found.group(2)}"


def same_but_annotation(old: str, new: str) -> bool:
    """Whether two types differ only in what sparse checks, or in which name a machine type has.

    A plain `int` that became `gfp_t` counts: Linux kernel commit 7d877f3bda87 ("[PATCH] gfp_t:
    net/*") (in v2.6.15) changed no code that uses it.
    """
    one, other = machine_type(old), machine_type(new)
    if one == other:
        return True
    loose_old, loose_new = one.replace("<-", "<"), other.replace("<-", "<")
    annotated = any(word in _ANNOTATED for word in re.findall(r"\w+", f"{old} {new}"))
    return annotated and loose_old == loose_new

//! Asking for a cache line before it is needed.
#![allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written there: it is asked for")]

/// Asks for the line of `at` to be written soon: the core that has it hands it over meanwhile. It never faults and
/// changes nothing, whatever `at` is. One instruction (`prefetchw`, `prfm pstl1keep`); on other processors, none.
///
/// ```
/// let lines = [0u64; 64];
/// velox_sys::prefetch_write(&raw const lines[32]);
/// ```
#[inline]
pub fn prefetch_write<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        // SAFETY: a hint, which reads and writes nothing and can't fault; a processor of x86-64 that doesn't know it takes
        // it as no operation. In assembly, as the intrinsic is a prefetch for reading where `prfchw` isn't enabled.
        unsafe { std::arch::asm!("prefetchw [{}]", in(reg) at, options(nomem, nostack, preserves_flags)) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        // SAFETY: a hint, which reads and writes nothing and can't fault.
        unsafe { std::arch::asm!("prfm pstl1keep, [{}]", in(reg) at, options(nomem, nostack, preserves_flags)) };
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = at;
}

/// Asks for the line of `at` to be read soon. It never faults and changes nothing, whatever `at` is. One instruction
/// (`prefetcht0`, `prfm pldl1keep`); on other processors, none.
///
/// ```
/// let lines = [0u64; 64];
/// velox_sys::prefetch_read(&raw const lines[32]);
/// ```
#[inline]
pub fn prefetch_read<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        // SAFETY: a hint, which reads and writes nothing that a program could see and can't fault.
        unsafe { std::arch::asm!("prefetcht0 [{}]", in(reg) at, options(nomem, nostack, preserves_flags)) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    {
        // SAFETY: as above.
        unsafe { std::arch::asm!("prfm pldl1keep, [{}]", in(reg) at, options(nomem, nostack, preserves_flags)) };
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = at;
}

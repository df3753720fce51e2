/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe memo: what the compiler answered to Kbuild's questions ("does it
 * take -fcf-protection=none?"). Kbuild asks about thirty of them in each make,
 * which is more than half of what a small module costs.
 *
 *	state_dir/probes/RELEASE-ARCH.mk	root's, 0644: a MAKEFILES fragment
 *
 * It is recorded from an empty module of our own, never from somebody else's
 * build, which could have others compiled without hardening. It holds whole
 * commands with both of their possible answers: anything that is not exactly
 * such a question is asked as usual, by the text that the headers themselves
 * ask with (try-run in scripts/Makefile.compiler, or scripts/Kbuild.include
 * before 5.13). An answer that costs a build its protection ("no") counts only
 * when the compiler was seen to work right after it.
 *
 * The first line carries a key over all that the answers depend on (compiler
 * with its cc1, assembler, linker, their libraries, the headers, make, and
 * this format), and a digest of the rest. A memo with another key than the
 * present one is not used; so it is never trusted when one of them
 * has changed.
 *
 * A kernel without a memo begins with the answers in another kernel's memo:
 * after an upgrade nobody need ask the same compiler the same questions again.
 * Recording then asks the rest.
 *
 * The fragment works only inside the kernel's own makefiles, only with the
 * build's usual PATH and without variables that lead the compiler to other
 * programs.
 */
#pragma once

#include "core/jobs/jobserver.h"
#include "core/settings/settings.h"
#include "core/kernel/kernel.h"
#include "core/support/contract.h"

/*
 * The path of the memo that is valid for this kernel now, or NULL. *is_whole (may be
 * NULL): it was recorded, and is not what another kernel's said. Costs some dozens of
 * stats, and reading it.
 */
KS_NONNULL(1)
char *ks_memo_find(const struct ks_system *system, struct ks_kernel *kernel,
		   struct ks_digest_cache *cache, bool *is_whole);

/*
 * Make this kernel's memo from that of another of these kernels (struct
 * ks_kernel) which the same programs compile: from the answers to questions
 * that name no file, so that do not depend on its headers. False when there is
 * no such memo.
 */
KS_NONNULL(1)
bool ks_memo_carry(const struct ks_system *system, struct ks_kernel *kernel,
		   GPtrArray *kernels, struct ks_digest_cache *cache);

struct ks_memo_recording;

/*
 * Start to record for a kernel with headers, in the sandbox; needs the
 * wrapper (wrapper.h) in place, and the caller holds a token for it. What a memo of
 * another kernel said (ks_memo_carry()) is not asked again. NULL with
 * an error when it cannot be started, NULL without one when the headers ask in
 * a way that is not known: builds go without a memo then.
 */
KS_MUST_CHECK
KS_NONNULL(1)
struct ks_memo_recording *ks_memo_record(const struct ks_system *system,
					 const struct ks_settings *settings,
					 struct ks_jobserver *jobserver,
					 struct ks_kernel *kernel,
					 struct ks_digest_cache *cache, GError **error);
/* Readable when it has ended. */
KS_NONNULL(1)
int ks_memo_recording_fd(const struct ks_memo_recording *recording);
/*
 * It has ended: keep the answers. False with an error when there are none; also
 * when something that they depend on has changed meanwhile.
 */
KS_MUST_CHECK
KS_NONNULL(1)
bool ks_memo_recording_finish(struct ks_memo_recording *recording, GError **error);
/* Kill it if it still runs; leaves nothing on disk. */
void ks_memo_recording_free(struct ks_memo_recording *recording);
KS_DEFINE_CLEANUP(ks_memo_recording, ks_memo_recording_free)

/* Remove memos of kernels that are not among these, and what a killed run left. */
KS_NONNULL(1)
void ks_memo_sweep(const struct ks_system *system, GPtrArray *kernels);

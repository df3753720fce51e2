/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine does, in dkms's words and order (3.4.3), from its events:
 * "Building module(s)... done.", "Installing FILE" and so on, on stdout.
 *
 * Live, each line begins when its work begins. Kept, the lines of each target
 * are stored and printed on demand: builds run at the same time, and one
 * depmod is made for all, but dkms's output is one module after another. In a live
 * speech those of dependents, which are built again with the job's module, are kept.
 */
#pragma once

#include "cli/dkms/dkms.h"
#include "core/engine/engine.h"

/* What was done to one target. */
struct ks_dkms_done {
	bool built;
	bool installed;
	bool uninstalled;
	bool had_originals; /* of the kernel's own that dkms moved away */
	int code;	    /* of the failure; KS_DKMS_OK: nothing failed */
	char *error;	    /* further lines after "\n"; NULL: it was printed already */
};

struct ks_dkms_speech;

/* The job is what the command asks for; of all modules where it names none. */
struct ks_dkms_speech *ks_dkms_speech_new(const struct ks_dkms *dkms,
					  struct ks_dkms_job job, bool kept);
void ks_dkms_speech_free(struct ks_dkms_speech *speech);
KS_DEFINE_CLEANUP(ks_dkms_speech, ks_dkms_speech_free)

struct ks_dkms_job ks_dkms_speech_job(const struct ks_dkms_speech *speech);
bool ks_dkms_speech_is_kept(const struct ks_dkms_speech *speech);
/* Print what dkms prints once before a build, if there was one. For kept lines. */
void ks_dkms_speech_print_prologue(const struct ks_dkms_speech *speech);

/* A ks_observer; data is the struct ks_dkms_speech. */
void ks_dkms_speech_observe(const struct ks_event *event, void *data);
/* The run is over: finish the line that was begun last. */
void ks_dkms_speech_end(struct ks_dkms_speech *speech);
/* Print text, which is kept, before the first installation; what is left of it now. */
void ks_dkms_speech_set_preface(struct ks_dkms_speech *speech, const char *text);
void ks_dkms_speech_print_preface(struct ks_dkms_speech *speech);
/* "NAME/VERSION" (char *) of the dependents that were built again, in that order. */
const GPtrArray *ks_dkms_speech_dependents(const struct ks_dkms_speech *speech);

/* NULL: nothing was done to it. */
const struct ks_dkms_done *ks_dkms_speech_done(const struct ks_dkms_speech *speech,
					       const char *name, const char *version,
					       const char *release);

/* Print its failure on stderr. Returns its code, KS_DKMS_OK when nothing failed. */
int ks_dkms_speech_print_failure(const struct ks_dkms_speech *speech, const char *name,
				 const char *version, const char *release);

/* Print the lines kept for a target; with depmod's line when its files have changed. */
void ks_dkms_speech_print(const struct ks_dkms_speech *speech, const char *name,
			  const char *version, const char *release, bool with_depmod);
bool ks_dkms_speech_depmod_failed(const struct ks_dkms_speech *speech,
				  const char *release);
/* "Running depmod... done.", or that it failed. */
void ks_dkms_speech_print_depmod(const struct ks_dkms_speech *speech,
				 const char *release);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines printed for each target, live or kept, and what each event adds to
 * them; private to the files of the speech. Others use cli/dkms/dkms-speech.h.
 */
#pragma once

#include "cli/dkms/dkms-speech.h"

struct ks_transcript_chunk {
	bool is_error;
	char *text;
};

/* One target, or with an empty release a source. */
struct ks_transcript_block {
	struct ks_dkms_done done;
	bool kept;	   /* its lines are printed on demand */
	GPtrArray *chunks; /* struct ks_transcript_chunk; live: stays empty */
	bool began;	   /* its first step was printed */
	bool line_open;	   /* "Building module(s)..." has not ended */
	bool made;	   /* make's line was printed */
	bool signs;	   /* and it has not been printed yet */
	char *command;	   /* of the open line */
	char *script;	   /* the latest one that was run as root */
};

struct ks_dkms_speech {
	const struct ks_dkms *dkms;
	struct ks_dkms_job job;
	bool kept;
	char *preface;	       /* before the first installation; NULL: none, or printed */
	GPtrArray *dependents; /* "NAME/VERSION": those built again with the job's */
	bool in_post_transaction; /* its line has not ended */
	bool began;		  /* a first step was printed, or kept */
	bool moved;		  /* files were placed or taken away */
	bool in_depmod;		  /* its line has not ended */
	char *prologue;		  /* about signing; NULL: nothing is to be built */
	GHashTable *blocks; /* "NAME/VERSION RELEASE" -> struct ks_transcript_block */
	GHashTable *depmod; /* release -> error text of its failure */
	struct ks_transcript_block *ticking;
	unsigned int n_ticks;
};

/* Is the action forced: by the command line, or since it is a dependent's? */
bool ks_speech_is_forced(const struct ks_dkms_speech *speech,
			 const struct ks_action *action);

/* The GDestroyNotify of a table of blocks. */
void ks_transcript_block_free(gpointer data);
/* The block of a target, or with an empty release of a source; NULL: none yet. */
struct ks_transcript_block *ks_transcript_find(const struct ks_dkms_speech *speech,
					       const char *name, const char *version,
					       const char *release);
/* The block of an action, made when it is new; NULL for one of a whole kernel. */
struct ks_transcript_block *ks_transcript_get(struct ks_dkms_speech *speech,
					      const struct ks_action *action);
/*
 * Print at once, in the order of the calls even where stdout and stderr are
 * one terminal.
 */
void ks_transcript_print(const char *text, bool is_error);
/*
 * Print at once, or store the text in block where lines are kept; block may be
 * NULL: at once.
 */
void ks_transcript_say_text(struct ks_dkms_speech *speech,
			    struct ks_transcript_block *block, bool is_error,
			    const char *text);
void ks_transcript_say(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		       const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A line that ends when the work ends: the description, or with --verbose the command. */
void ks_transcript_begin(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
			 const char *description, const char *command);
/* End it, by the exit status of the work; nothing when none is open. */
void ks_transcript_end(struct ks_dkms_speech *speech, struct ks_transcript_block *block,
		       int exit_status);
/* About once a second: a dot now and then. */
void ks_transcript_tick(struct ks_dkms_speech *speech);

/* dkms-speech-build.c: adding, building, signing. */
void ks_speech_say_adding(struct ks_dkms_speech *speech,
			  struct ks_transcript_block *block,
			  const struct ks_source *source);
void ks_speech_print_prologue(const struct ks_dkms_speech *speech);
void ks_speech_say_deprecated(struct ks_dkms_speech *speech,
			      const struct ks_event *event);
void ks_speech_signing(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_sign_failed(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_step(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_signed(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_build_failed(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_begin_build(struct ks_dkms_speech *speech,
			   struct ks_transcript_block *block,
			   const struct ks_action *action);

/* dkms-speech-install.c: installing, uninstalling, and root's scripts. */
void ks_speech_placed(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_taken(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_original(struct ks_dkms_speech *speech, const struct ks_event *event);
/* What dkms prints of an installation that replaces one of the same version. */
void ks_speech_replaced(struct ks_dkms_speech *speech, const struct ks_action *action);
void ks_speech_refused(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_script(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_no_script(struct ks_dkms_speech *speech, const struct ks_event *event);
void ks_speech_install_failed(struct ks_dkms_speech *speech,
			      const struct ks_event *event);

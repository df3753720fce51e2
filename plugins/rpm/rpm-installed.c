/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See installed.h. */
#include "plugins/rpm/rpm-installed.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rpm/rpmds.h>

#include "plugins/rpm/header.h"
#include "plugins/rpm/names.h"

#define PATH_BYTES 4200

static const char *const kernel_files[] = {"modules.builtin", "modules.order", "kernel"};
#define N_KERNEL_FILES (sizeof(kernel_files) / sizeof(kernel_files[0]))

bool ks_installed_can_require(void)
{
	return dlsym(RTLD_DEFAULT, "rpmtsSetChangeCallback") != NULL;
}

static void kernel_path(char *path, const char *release, const char *file)
{
	snprintf(path, PATH_BYTES, "/lib/modules/%s/%s", release, file);
}

bool ks_installed_kernel_is_there(const struct ks_tree_root *tree, const char *release)
{
	char path[PATH_BYTES];

	for (size_t i = 0; *release && i < N_KERNEL_FILES; i++) {
		kernel_path(path, release, kernel_files[i]);
		if (ks_tree_has(tree, path))
			return true;
	}
	return false;
}

/* --- the kernel's package */

struct owner {
	char *name;
	char *evr;
	bool usr; /* it says /usr/lib/modules */
};

static bool take_owner(Header h, const char *spelled, void *data)
{
	struct owner *owner = data;

	owner->name = headerGetAsString(h, RPMTAG_NAME);
	owner->evr = headerGetAsString(h, RPMTAG_EVR);
	owner->usr = strncmp(spelled, "/usr/", 5) == 0;
	return false;
}

struct first {
	ks_db_owner_func func;
	void *data;
	bool found;
};

static bool call_first(Header h, const char *spelled, void *data)
{
	struct first *first = data;

	first->found = true;
	first->func(h, spelled, first->data);
	return false;
}

void ks_installed_kernel_owner(rpmts ts, const char *release, ks_db_owner_func func,
			       void *data)
{
	struct first first = {func, data, false};
	char path[PATH_BYTES];

	for (size_t i = 0; !first.found && i < N_KERNEL_FILES; i++) {
		kernel_path(path, release, kernel_files[i]);
		ks_db_owners(ts, path, call_first, &first);
	}
}

/* A kernel that no package brought is required from none. */
static bool require_kernel(struct ks_header *header, rpmts ts, const char *release,
			   const struct owner *owner)
{
	if (!ks_installed_can_require())
		return true;
	if (ks_rpm_is_evr(release) && ks_db_provides(ts, "kernel-uname-r", release))
		return ks_header_add_requires(header, "kernel-uname-r", release,
					      RPMSENSE_EQUAL);
	return !owner->name ||
	       ks_header_add_requires(header, owner->name, owner->evr, RPMSENSE_EQUAL);
}

/* --- files */

static bool add_path(struct ks_header *header, const char *path, bool usr,
		     const struct ks_record_file *file, const struct stat *st)
{
	char *spelled = ks_db_spell(path, usr);
	const bool is_file = file && !file->link;
	struct ks_header_file entry = {
		.path = spelled,
		.mode = is_file ? (mode_t)(S_IFREG | file->mode) : st->st_mode,
		.size_bytes = is_file ? file->size_bytes : 0,
		.sha256 = is_file ? file->sha256 : NULL,
		.link_target = file ? file->link : NULL,
		.mtime = st->st_mtime,
	};
	bool ok = spelled && ks_header_add_file(header, &entry);

	free(spelled);
	return ok;
}

/*
 * The directories from the kernel's own downwards, so that the last package there
 * takes them along when it goes.
 */
static bool add_directories(struct ks_header *header, const struct ks_tree_root *tree,
			    const struct ks_record *record, const char *path, bool usr)
{
	char top[PATH_BYTES];
	char *spelled = ks_db_spell(path, false);
	bool ok = spelled != NULL;
	size_t length;

	kernel_path(top, record->release, "");
	length = strlen(top);
	if (ok && strncmp(spelled, top, length) == 0) {
		for (char *slash = spelled + length - 1; ok && slash;
		     slash = strchr(slash + 1, '/')) {
			struct stat st;

			*slash = '\0';
			if (ks_tree_lstat(tree, spelled, &st) && S_ISDIR(st.st_mode))
				ok = add_path(header, spelled, usr, NULL, &st);
			*slash = '/';
		}
	}
	free(spelled);
	return ok;
}

static bool add_files(struct ks_header *header, const struct ks_tree_root *tree,
		      const struct ks_record *record, bool usr, struct ks_why *why)
{
	for (size_t i = 0; i < record->n_files; i++) {
		const struct ks_record_file *file = &record->files[i];
		struct stat st;

		if (!(file->link
			      ? ks_tree_check_link(tree, file->path, file->link, &st, why)
			      : ks_tree_check_file(tree, file->path, file->size_bytes,
						   file->sha256, &st, why)))
			return false;
		if (!add_path(header, file->path, usr, file, &st) ||
		    !add_directories(header, tree, record, file->path, usr))
			return ks_why_no_memory(why);
		if (st.st_mtime > header->build_time)
			header->build_time = st.st_mtime;
	}
	return true;
}

/* --- texts */

static bool add_provides(struct ks_header *header, const struct ks_record *record,
			 const char *version)
{
	char *plain = NULL, *name = NULL;
	bool ok = asprintf(&plain, "kmod-%s", record->module) >= 0 &&
		  (name = ks_rpm_name(plain)) &&
		  ks_header_add_provides(header, name, version, RPMSENSE_EQUAL);

	for (size_t i = 0; ok && i < record->n_provides; i++)
		ok = ks_header_add_provides(header, record->provides[i], NULL, 0);
	free(plain);
	free(name);
	return ok;
}

static char *cookie_of(const struct ks_record *record)
{
	char *cookie = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&cookie, &size);

	if (!to)
		return NULL;
	ks_text_print_line(to, "module", record->module);
	ks_text_print_line(to, "version", record->version);
	ks_text_print_line(to, "kernel", record->release);
	ks_text_print_line(to, "digest", record->digest);
	ks_text_print_line(to, "fingerprint", record->fingerprint);
	putc('\n', to);
	return fclose(to) == 0 ? cookie : NULL;
}

struct texts {
	char *version, *release, *summary, *cookie;
};

static bool make_texts(struct texts *texts, const struct ks_record *record)
{
	texts->version = ks_rpm_version(record->version);
	texts->release = ks_rpm_release(record->digest);
	texts->cookie = cookie_of(record);
	if (asprintf(&texts->summary, "%s %s for Linux %s, built on this machine",
		     record->module, record->version, record->release) < 0)
		texts->summary = NULL;
	return texts->version && texts->release && texts->cookie && texts->summary;
}

static void clear_texts(struct texts *texts)
{
	free(texts->version);
	free(texts->release);
	free(texts->summary);
	free(texts->cookie);
}

/* --- */

static Header build(struct ks_header *header, rpmts ts, const struct ks_tree_root *tree,
		    const struct ks_record *record, struct ks_why *why)
{
	struct owner owner = {NULL, NULL, false};
	Header h = NULL;

	ks_installed_kernel_owner(ts, record->release, take_owner, &owner);
	if (!require_kernel(header, ts, record->release, &owner) ||
	    !add_provides(header, record, header->version))
		ks_why_no_memory(why);
	else if (add_files(header, tree, record, owner.usr, why))
		h = ks_header_build(header, why);
	free(owner.name);
	free(owner.evr);
	if (h && !ks_header_mark_installed(h, header->n_files, rpmtsGetTid(ts), why))
		h = headerFree(h);
	return h;
}

Header ks_installed_build(rpmts ts, const struct ks_tree_root *tree,
			  const struct ks_record *record, const char *package,
			  struct ks_why *why)
{
	struct texts texts = {0};
	struct ks_header header = {
		.name = package,
		.arch = record->arch,
		.description = "Kernel modules that kmodsmith built from their source.",
		.licence = "unknown",
		.vendor = KS_DATABASE_VENDOR,
	};
	Header h = NULL;

	if (make_texts(&texts, record)) {
		header.version = texts.version;
		header.release = texts.release;
		header.summary = texts.summary;
		header.cookie = texts.cookie;
		h = build(&header, ts, tree, record, why);
	} else {
		ks_why_no_memory(why);
	}
	ks_header_clear(&header);
	clear_texts(&texts);
	return h;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dkms mktarball. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/dkms/dkms-actions.h"
#include "cli/dkms/dkms-built.h"
#include "core/package/tarball.h"
#include "core/support/durable.h"
#include "core/support/error.h"

#define MAX_LIST_CHARS 200

/* "kernelK-A-kernelK2-A2" or what stands for it, as dkms names its archives. */
static char *kernel_list(const struct ks_dkms *dkms, const GPtrArray *artifacts)
{
	g_autoptr(GString) list = g_string_new(NULL);

	if (dkms->options->source_only)
		return g_strdup("source-only");
	for (guint i = 0; i < artifacts->len; i++) {
		const struct ks_artifact *artifact = g_ptr_array_index(artifacts, i);

		g_string_append_printf(list, "%skernel%s-%s", i ? "-" : "",
				       artifact->release, artifact->arch);
	}
	return list->len < MAX_LIST_CHARS ? g_string_free(g_steal_pointer(&list), FALSE)
					  : g_strdup("manykernels");
}

struct place {
	char *dir;  /* as it is printed */
	char *name; /* of the archive */
	int fd;	    /* of dir */
};

static void place_clear(struct place *place)
{
	g_free(place->dir);
	g_free(place->name);
	if (place->fd >= 0)
		close(place->fd);
}

/* --archive with a directory is a path of the caller; all else goes to T/M/V/tarball. */
static bool find_place(const struct ks_dkms *dkms, const GPtrArray *artifacts,
		       struct place *place)
{
	const struct ks_dkms_options *options = dkms->options;
	const struct ks_root *root = dkms->cli.system->root;
	const char *archive = options->archive;
	g_autofree char *entry =
		ks_tree_entry_path(dkms->cli.system, options->module, options->version);

	if (archive) {
		place->name = g_path_get_basename(archive);
	} else {
		g_autofree char *list = kernel_list(dkms, artifacts);

		place->name = g_strdup_printf("%s-%s-%s.dkms.tar.gz", options->module,
					      options->version, list);
	}
	if (archive && strchr(archive, '/')) {
		place->dir = g_path_get_dirname(archive);
		if (g_mkdir_with_parents(place->dir, 0755) == 0)
			place->fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		/* dkms prints it so, and people parse it */
		place->dir = g_strconcat(entry, "/tarball/", NULL);
		if (ks_root_mkdir_p(root, place->dir, 0755, NULL))
			place->fd = ks_root_openat(root, place->dir,
						   O_RDONLY | O_DIRECTORY, 0, NULL);
	}
	return place->fd >= 0 && faccessat(place->fd, ".", W_OK, 0) == 0;
}

/* The complete archive under its name, or nothing. */
static bool write_archive(const struct ks_dkms *dkms, const struct place *place,
			  const struct ks_tarball_contents *contents, char **outside,
			  GError **error)
{
	g_autofree char *temporary =
		g_strdup_printf("%s%d", KS_DURABLE_TEMPORARY_PREFIX, (int)getpid());
	ks_autofd int fd = openat(place->fd, temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0) {
		ks_error_set_errno(error, errno, "cannot write into '%s'", place->dir);
		return false;
	}
	if (ks_tarball_write(dkms->cli.system, contents, place->name, fd, outside,
			     error)) {
		if (fsync(fd) == 0 &&
		    renameat(place->fd, temporary, place->fd, place->name) == 0)
			return true;
		ks_error_set_errno(error, errno, "cannot write '%s/%s'", place->dir,
				   place->name);
	}
	unlinkat(place->fd, temporary, 0);
	return false;
}

static int make(const struct ks_dkms *dkms, const struct ks_tarball_contents *contents)
{
	struct place place = {.fd = -1};
	bool found = find_place(dkms, contents->artifacts, &place);
	g_autofree char *outside = NULL;
	g_autoptr(GError) error = NULL;
	int code = KS_DKMS_OK;

	printf("\nTarball location: %s/%s\n", place.dir, place.name);
	if (!found)
		code = ks_dkms_fail(KS_DKMS_NO_CONF, "Missing write permissions for %s.",
				    place.dir);
	else if (!write_archive(dkms, &place, contents, &outside, &error))
		code = ks_dkms_fail(KS_DKMS_INSTALL_FAILED, "Failed to make tarball.\n%s",
				    error->message);
	else if (outside)
		ks_dkms_warn("the link %s leads out of the source: 'dkms ldtarball' of "
			     "kmodsmith will refuse this archive",
			     outside);
	place_clear(&place);
	return code;
}

static int make_with(const struct ks_dkms *dkms, const struct ks_tree_entry *entry,
		     GPtrArray *artifacts)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autofree char *dir =
		ks_tree_entry_path(dkms->cli.system, options->module, options->version);
	g_autofree char *source = g_build_filename(dir, "source", NULL);
	g_autofree char *conf = g_build_filename(
		options->conf_path ? "" : source,
		options->conf_path ? options->conf_path : "dkms.conf", NULL);
	const struct ks_tarball_contents contents = {
		.module = options->module,
		.version = options->version,
		.source_dir = options->binaries_only ? NULL : source,
		.conf_path = conf,
		.artifacts = artifacts,
	};

	for (guint i = 0; i < artifacts->len; i++) {
		const struct ks_artifact *artifact = g_ptr_array_index(artifacts, i);

		printf("Marking modules for %s (%s) for archiving...\n",
		       artifact->release, artifact->arch);
	}
	if (options->binaries_only)
		puts("\nCreating tarball structure to specifically accomodate binaries.");
	else
		printf("\nMarking %s for archiving...\n", source);
	return make(dkms, &contents);
}

int ks_dkms_mktarball(struct ks_dkms *dkms)
{
	const struct ks_dkms_options *options = dkms->options;
	g_autoptr(GPtrArray) artifacts = g_ptr_array_new();
	g_autoptr(GPtrArray) entries = NULL;
	g_autoptr(GError) error = NULL;
	int code = KS_DKMS_OK;

	entries = ks_tree_scan(dkms->cli.system, &error);
	if (!entries)
		return ks_dkms_fail(KS_DKMS_INSTALL_FAILED, "%s", error->message);
	if (!options->source_only)
		code = ks_dkms_find_built(dkms, "mktarball", entries, artifacts);
	return code ? code
		    : make_with(dkms,
				ks_tree_find(entries, options->module, options->version),
				artifacts);
}

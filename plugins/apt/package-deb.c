/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * package-deb: a package description (doc/package-protocol.md) as a .deb.
 *
 * A prebuilt package only recommends the kernel's package: with a dependency it
 * could not be installed for a kernel that dpkg does not know.
 */
#include <string.h>

#include "core/support/error.h"
#include "plugins/apt/debname.h"
#include "plugins/apt/debwriter.h"
#include "plugins/writer/writer.h"

#define KIBIBYTE 1024

/* The kernel's machine names, as Debian names its architectures (dpkg's cputable). */
static const struct {
	const char *machine, *architecture;
} architectures[] = {
	{"all", "all"},		{"x86_64", "amd64"},
	{"aarch64", "arm64"},	{"i386", "i386"},
	{"i486", "i386"},	{"i586", "i386"},
	{"i686", "i386"},	{"armv7l", "armhf"},
	{"armv6l", "armel"},	{"armv5tel", "armel"},
	{"ppc64le", "ppc64el"}, {"ppc64", "ppc64"},
	{"ppc", "powerpc"},	{"s390x", "s390x"},
	{"riscv64", "riscv64"}, {"loongarch64", "loong64"},
	{"mips64", "mips64el"}, {"sparc64", "sparc64"},
};

/*
 * For a prebuilt package. The kernel may come later, or be gone: no error. The
 * removal of a module succeeds without depmod.
 */
static const char depmod_body[] =
	"dir=/lib/modules/$release\n"
	"if [ -e \"$dir/modules.order\" ] || [ -e \"$dir/modules.builtin\" ]; then\n"
	"\tdepmod \"$release\"";

/*
 * For a source package, on machines with dkms: kmodsmith needs no call. It does
 * what dh_dkms's snippets (dkms 3.0.10) do.
 */
static const char source_postinst[] =
	"if [ \"$1\" = configure ] && ! command -v kmodsmith >/dev/null &&\n"
	"\t[ -x /usr/lib/dkms/common.postinst ]; then\n"
	"\t/usr/lib/dkms/common.postinst \"$name\" \"$version\" "
	"\"/usr/share/$name-dkms\" '' \"$2\"\n"
	"fi\n";

static const char source_prerm[] =
	"case $1 in remove | upgrade | deconfigure)\n"
	"\tif ! command -v kmodsmith >/dev/null && command -v dkms >/dev/null &&\n"
	"\t\t[ -n \"$(dkms status -m \"$name\" -v \"$version\")\" ]; then\n"
	"\t\tdkms remove -m \"$name\" -v \"$version\" --all\n"
	"\tfi\n"
	"esac\n";

static const char *architecture_of(const struct ks_package *package, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(architectures); i++)
		if (strcmp(architectures[i].machine, package->arch) == 0)
			return architectures[i].architecture;
	ks_error_set(error, KS_ERROR_INVALID,
		     "no Debian architecture is known for machine '%s'", package->arch);
	return NULL;
}

static char *version_of(const struct ks_package *package)
{
	g_autofree char *upstream = ks_deb_upstream_version(package->version);

	return g_strdup_printf("%s-%s", upstream, package->revision);
}

static char *file_name(const struct ks_package *package, GError **error)
{
	const char *architecture = architecture_of(package, error);
	g_autofree char *name = ks_deb_package_name(package->name);
	g_autofree char *version = version_of(package);

	return architecture ? g_strdup_printf("%s_%s_%s.deb", name, version, architecture)
			    : NULL;
}

static void append_description(GString *out, const struct ks_package *package)
{
	g_auto(GStrv) lines = g_strsplit(package->description, "\n", -1);

	g_string_append_printf(out, "Description: %s\n", package->summary);
	for (char **line = lines; *line; line++)
		g_string_append_printf(out, " %s\n", **line ? *line : ".");
}

static char *control_of(const struct ks_package *package, const char *architecture)
{
	g_autofree char *name = ks_deb_package_name(package->name);
	g_autofree char *version = version_of(package);
	GString *out = g_string_new(NULL);
	guint64 kibibytes = 0;

	for (guint i = 0; i < package->files->len; i++) {
		const struct ks_package_file *file = g_ptr_array_index(package->files, i);

		kibibytes += (file->size_bytes + KIBIBYTE - 1) / KIBIBYTE;
	}
	g_string_append_printf(out,
			       "Package: %s\nVersion: %s\nArchitecture: %s\n"
			       "Maintainer: %s\n"
			       "Installed-Size: %" G_GUINT64_FORMAT "\n",
			       name, version, architecture, package->maintainer,
			       kibibytes);
	if (package->kind == KS_PACKAGE_PREBUILT) {
		g_autofree char *image =
			g_strconcat("linux-image-", package->release, NULL);
		g_autofree char *kernel = ks_deb_package_name(image);
		g_autofree char *plain = g_strconcat("kmod-", package->module, NULL);
		g_autofree char *provided = ks_deb_package_name(plain);

		g_string_append_printf(out,
				       "Depends: kmod\nRecommends: %s\nProvides: %s\n",
				       kernel, provided);
	} else {
		g_string_append(out, "Recommends: kmodsmith | dkms\n");
	}
	g_string_append(out, "Section: kernel\nPriority: optional\n");
	append_description(out, package);
	return g_string_free(out, FALSE);
}

static void file_free(gpointer data)
{
	ks_deb_file_free(data);
}

static struct ks_deb_file *add_entry(GPtrArray *entries, const char *path,
				     unsigned int mode, gint64 mtime)
{
	struct ks_deb_file *entry = g_new0(struct ks_deb_file, 1);

	entry->path = g_strdup(path);
	entry->fd = -1;
	entry->mode = mode;
	entry->mtime = (time_t)mtime;
	g_ptr_array_add(entries, entry);
	return entry;
}

static GPtrArray *entries_of(const struct ks_package *package)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(file_free);

	for (guint i = 0; i < package->dirs->len; i++) {
		const struct ks_package_dir *dir = g_ptr_array_index(package->dirs, i);

		add_entry(entries, dir->dest, dir->mode, package->mtime);
	}
	for (guint i = 0; i < package->links->len; i++) {
		const struct ks_package_link *link = g_ptr_array_index(package->links, i);

		add_entry(entries, link->dest, 0777, package->mtime)->link =
			g_strdup(link->target);
	}
	for (guint i = 0; i < package->files->len; i++) {
		const struct ks_package_file *file = g_ptr_array_index(package->files, i);
		struct ks_deb_file *entry =
			add_entry(entries, file->dest, file->mode, package->mtime);

		entry->content = g_strdup(file->source);
		entry->sha256 = g_strdup(file->sha256);
		entry->size_bytes = file->size_bytes;
	}
	return g_steal_pointer(&entries);
}

static char *make_prebuilt_script(const struct ks_package *package, const char *when,
				  const char *otherwise)
{
	return g_strdup_printf("#!/bin/sh\nset -e\n[ \"$1\" = %s ] || exit 0\n"
			       "release='%s'\n%s%s\nfi\n",
			       when, package->release, depmod_body, otherwise);
}

static char *make_source_script(const struct ks_package *package, const char *body)
{
	return g_strdup_printf("#!/bin/sh\nset -e\nname='%s'\nversion='%s'\n%s",
			       package->module, package->version, body);
}

static bool write_deb(const struct ks_package *package, int fd, GError **error)
{
	const char *architecture = architecture_of(package, error);
	bool prebuilt = package->kind == KS_PACKAGE_PREBUILT;
	g_autoptr(GPtrArray) entries = NULL;
	g_autofree char *control = NULL, *installed = NULL, *removed = NULL;

	if (!architecture)
		return false;
	entries = entries_of(package);
	control = control_of(package, architecture);
	installed = prebuilt ? make_prebuilt_script(package, "configure", "")
			     : make_source_script(package, source_postinst);
	removed = prebuilt ? make_prebuilt_script(package, "remove", " || :")
			   : make_source_script(package, source_prerm);
	const struct ks_deb_script scripts[] = {
		{"postinst", installed},
		{prebuilt ? "postrm" : "prerm", removed},
		{NULL, NULL},
	};
	const struct ks_deb deb = {
		.control = control,
		.files = entries,
		.scripts = scripts,
		.compress = true,
		.mtime = (time_t)package->mtime,
	};
	return ks_deb_write(&deb, fd, error);
}

const struct ks_writer_format ks_writer_format = {
	.program = "package-deb",
	.file_name = file_name,
	.write = write_deb,
};

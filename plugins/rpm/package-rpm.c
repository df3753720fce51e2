/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * package-rpm: a package description (doc/package-protocol.md) as an .rpm.
 *
 * A prebuilt package only recommends its kernel: a requirement would keep plain
 * "rpm -e" from removing the kernel on a machine that has no plugin to follow.
 */
#include <string.h>

#include <rpm/rpmds.h>
#include <rpm/rpmlib.h>

#include "core/support/error.h"
#include "plugins/rpm/names.h"
#include "plugins/rpm/rpmfile.h"
#include "plugins/writer/writer.h"

/* The kernel's machine names where rpm's are others. */
static const struct {
	const char *machine, *arch;
} arches[] = {
	{"all", "noarch"},
	{"armv7l", "armv7hl"},
	{"armv6l", "armv6hl"},
};

/* The kernel may come later, or be gone: no error. */
#define IF_KERNEL                                                                        \
	"dir=/lib/modules/$release\n"                                                    \
	"if [ -e \"$dir/modules.order\" ] || [ -e \"$dir/modules.builtin\" ]; then\n"

static const char prebuilt_post[] = IF_KERNEL "\tdepmod \"$release\"\nfi\n";
static const char prebuilt_postun[] =
	"[ \"$1\" = 0 ] || exit 0\n" IF_KERNEL "\tdepmod \"$release\" || :\nfi\n";

/* For machines with dkms: kmodsmith needs no call. It does what Fedora's packages do. */
#define IF_DKMS                                                                          \
	"if ! command -v kmodsmith >/dev/null 2>&1 &&\n"                                 \
	"\tcommand -v dkms >/dev/null 2>&1; then\n"

static const char source_post[] =
	IF_DKMS "\tdkms add -m \"$name\" -v \"$version\" -q || :\n"
		"\tdkms build -m \"$name\" -v \"$version\" -q || :\n"
		"\tdkms install -m \"$name\" -v \"$version\" -q --force || :\n"
		"fi\n";
/*
 * In an upgrade this comes after the %post of the new package: the builds made
 * there must stay when the version is the same.
 */
static const char source_preun[] =
	"[ \"$1\" = 0 ] ||\n"
	"\t[ \"$(rpm -q --qf '%{VERSION}\\n' \"$package\" | sort -u | wc -l)\" -gt 1 ] "
	"||\n"
	"\texit 0\n" IF_DKMS
	"\tdkms remove -m \"$name\" -v \"$version\" -q --all || :\nfi\n";

static const char *arch_of(const struct ks_package *package)
{
	for (size_t i = 0; i < G_N_ELEMENTS(arches); i++)
		if (strcmp(arches[i].machine, package->arch) == 0)
			return arches[i].arch;
	return package->arch;
}

static char *file_name(const struct ks_package *package, GError **error)
{
	char *name = ks_rpm_name(package->name);
	char *version = ks_rpm_version(package->version);
	char *file = g_strdup_printf("%s-%s-%s.%s.rpm", name, version, package->revision,
				     arch_of(package));

	free(name);
	free(version);
	return file;
}

/* --- the texts that the header borrows */

struct texts {
	char *name, *version, *post, *preun, *postun;
};

static char *make_script(const struct texts *texts, const struct ks_package *package,
			 const char *body)
{
	if (package->kind == KS_PACKAGE_PREBUILT)
		return g_strdup_printf("release='%s'\n%s", package->release, body);
	return g_strdup_printf("package='%s'\nname='%s'\nversion='%s'\n%s", texts->name,
			       package->module, package->version, body);
}

static void make_texts(struct texts *texts, const struct ks_package *package)
{
	texts->name = ks_rpm_name(package->name);
	texts->version = ks_rpm_version(package->version);
	if (package->kind == KS_PACKAGE_PREBUILT) {
		texts->post = make_script(texts, package, prebuilt_post);
		texts->postun = make_script(texts, package, prebuilt_postun);
	} else {
		texts->post = make_script(texts, package, source_post);
		texts->preun = make_script(texts, package, source_preun);
	}
}

static void clear_texts(struct texts *texts)
{
	free(texts->name);
	free(texts->version);
	g_free(texts->post);
	g_free(texts->preun);
	g_free(texts->postun);
}

/* --- dependencies */

static bool add_rpmlib(struct ks_header *header)
{
	static const struct {
		const char *name, *evr;
	} features[] = {
		{"rpmlib(CompressedFileNames)", "3.0.4-1"},
		{"rpmlib(FileDigests)", "4.6.0-1"},
		{"rpmlib(PayloadFilesHavePrefix)", "4.0-1"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(features); i++)
		if (!ks_header_add_requires(header, features[i].name, features[i].evr,
					    RPMSENSE_RPMLIB | RPMSENSE_LESS |
						    RPMSENSE_EQUAL))
			return false;
	return true;
}

static bool add_shell(struct ks_header *header)
{
	return ks_header_add_requires(header, "/bin/sh", NULL,
				      RPMSENSE_INTERP | RPMSENSE_SCRIPT_POST) &&
	       (!header->preun ||
		ks_header_add_requires(header, "/bin/sh", NULL,
				       RPMSENSE_INTERP | RPMSENSE_SCRIPT_PREUN)) &&
	       (!header->postun ||
		ks_header_add_requires(header, "/bin/sh", NULL,
				       RPMSENSE_INTERP | RPMSENSE_SCRIPT_POSTUN));
}

static bool add_provides(struct ks_header *header, const struct ks_package *package)
{
	for (guint i = 0; i < package->provides->len; i++)
		if (!ks_header_add_provides(
			    header, g_ptr_array_index(package->provides, i), NULL, 0))
			return false;
	return true;
}

/*
 * The provides that every record of the module has too, and the scripts that
 * run depmod.
 */
static bool add_prebuilt(struct ks_header *header, const struct ks_package *package)
{
	g_autofree char *plain = g_strconcat("kmod-", package->module, NULL);
	char *name = ks_rpm_name(plain);
	bool ok = name &&
		  ks_header_add_provides(header, name, header->version, RPMSENSE_EQUAL) &&
		  ks_header_add_requires(header, "kmod", NULL, RPMSENSE_SCRIPT_POST) &&
		  (!ks_rpm_is_evr(package->release) ||
		   ks_header_add_recommends(header, "kernel-uname-r", package->release,
					    RPMSENSE_EQUAL));

	free(name);
	return ok;
}

static bool add_dependencies(struct ks_header *header, const struct ks_package *package)
{
	if (!add_rpmlib(header) || !add_shell(header) || !add_provides(header, package))
		return false;
	return package->kind == KS_PACKAGE_PREBUILT
		       ? add_prebuilt(header, package)
		       : ks_header_add_recommends(header, "dkms", NULL, 0);
}

/* --- files */

static bool add_entry(struct ks_header *header, const struct ks_package *package,
		      const char *dest, mode_t mode)
{
	struct ks_header_file entry = {
		.path = (char *)dest, .mode = mode, .mtime = (time_t)package->mtime};

	return ks_header_add_file(header, &entry);
}

static bool has_dir(const struct ks_package *package, const char *dest)
{
	for (guint i = 0; i < package->dirs->len; i++) {
		const struct ks_package_dir *dir = g_ptr_array_index(package->dirs, i);

		if (strcmp(dir->dest, dest) == 0)
			return true;
	}
	return false;
}

/*
 * The directories of the kernel, or of the source, down to dest: the last package
 * there takes them along, as records do.
 */
static bool add_parents(struct ks_header *header, const struct ks_package *package,
			const char *dest)
{
	g_autofree char *top =
		package->kind == KS_PACKAGE_PREBUILT
			? g_strdup_printf("/lib/modules/%s/", package->release)
			: g_strdup_printf("/usr/src/%s-%s/", package->module,
					  package->version);
	g_autofree char *path = g_strdup(dest);

	if (!g_str_has_prefix(path, top))
		return true;
	for (char *slash = path + strlen(top) - 1; slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!has_dir(package, path) &&
		    !add_entry(header, package, path, S_IFDIR | 0755))
			return false;
		*slash = '/';
	}
	return true;
}

static bool add_regular(struct ks_header *header, const struct ks_package *package,
			const struct ks_package_file *file)
{
	struct ks_header_file entry = {
		.path = file->dest,
		.mode = S_IFREG | file->mode,
		.size_bytes = file->size_bytes,
		.sha256 = file->sha256,
		.mtime = (time_t)package->mtime,
	};

	return ks_header_add_file(header, &entry) &&
	       add_parents(header, package, file->dest);
}

static bool add_link(struct ks_header *header, const struct ks_package *package,
		     const struct ks_package_link *link)
{
	struct ks_header_file entry = {
		.path = link->dest,
		.mode = S_IFLNK | 0777,
		.link_target = link->target,
		.mtime = (time_t)package->mtime,
	};

	return ks_header_add_file(header, &entry);
}

static bool add_files(struct ks_header *header, const struct ks_package *package)
{
	for (guint i = 0; i < package->dirs->len; i++) {
		const struct ks_package_dir *dir = g_ptr_array_index(package->dirs, i);

		if (!add_entry(header, package, dir->dest, S_IFDIR | dir->mode))
			return false;
	}
	for (guint i = 0; i < package->links->len; i++)
		if (!add_link(header, package, g_ptr_array_index(package->links, i)))
			return false;
	for (guint i = 0; i < package->files->len; i++)
		if (!add_regular(header, package, g_ptr_array_index(package->files, i)))
			return false;
	return true;
}

/* --- */

static bool write_rpm(const struct ks_package *package, int fd, GError **error)
{
	struct texts texts = {0};
	struct ks_header header = {0};
	bool ok;

	rpmInitCrypto();
	make_texts(&texts, package);
	header.name = texts.name;
	header.version = texts.version;
	header.release = package->revision;
	header.arch = arch_of(package);
	header.summary = package->summary;
	header.description = package->description;
	header.licence = package->licence;
	header.packager = package->maintainer;
	header.post = texts.post;
	header.preun = texts.preun;
	header.postun = texts.postun;
	header.build_time = (time_t)package->mtime;
	ok = add_dependencies(&header, package) && add_files(&header, package);
	if (!ok)
		ks_error_set(error, KS_ERROR_FAILED, "out of memory");
	ok = ok && ks_rpmfile_write(&header, package, fd, error);
	ks_header_clear(&header);
	clear_texts(&texts);
	return ok;
}

const struct ks_writer_format ks_writer_format = {
	.program = "package-rpm",
	.file_name = file_name,
	.write = write_rpm,
};

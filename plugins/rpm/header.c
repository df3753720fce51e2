/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See header.h. */
#include "plugins/rpm/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rpm/rpmds.h>

const uint8_t ks_header_magic[KS_HEADER_MAGIC_BYTES] = {0x8e, 0xad, 0xe8, 0x01};

/* Room for one more; doubles. */
static void *grow(void *array, size_t n, size_t element_bytes)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, element_bytes);
}

static bool add_dep(struct ks_header_dep **deps, size_t *n_deps, const char *name,
		    const char *evr, uint32_t flags)
{
	struct ks_header_dep *grown = grow(*deps, *n_deps, sizeof(**deps));
	struct ks_header_dep dep = {.flags = flags};

	if (!grown)
		return false;
	*deps = grown;
	dep.name = strdup(name);
	dep.evr = evr ? strdup(evr) : NULL;
	grown[(*n_deps)++] = dep;
	return dep.name && (!evr || dep.evr);
}

bool ks_header_add_provides(struct ks_header *header, const char *name, const char *evr,
			    uint32_t flags)
{
	return add_dep(&header->provides, &header->n_provides, name, evr, flags);
}

bool ks_header_add_requires(struct ks_header *header, const char *name, const char *evr,
			    uint32_t flags)
{
	return add_dep(&header->requires, &header->n_requires, name, evr, flags);
}

bool ks_header_add_recommends(struct ks_header *header, const char *name, const char *evr,
			      uint32_t flags)
{
	return add_dep(&header->recommends, &header->n_recommends, name, evr, flags);
}

bool ks_header_add_file(struct ks_header *header, const struct ks_header_file *file)
{
	struct ks_header_file *grown =
		grow(header->files, header->n_files, sizeof(*header->files));
	struct ks_header_file copy = *file;

	if (!grown)
		return false;
	header->files = grown;
	copy.path = strdup(file->path);
	copy.sha256 = strdup(file->sha256 ? file->sha256 : "");
	copy.link_target = strdup(file->link_target ? file->link_target : "");
	grown[header->n_files++] = copy;
	return copy.path && copy.sha256 && copy.link_target;
}

static void clear_deps(struct ks_header_dep *deps, size_t n_deps)
{
	for (size_t i = 0; i < n_deps; i++) {
		free(deps[i].name);
		free(deps[i].evr);
	}
	free(deps);
}

static void clear_file(struct ks_header_file *file)
{
	free(file->path);
	free(file->sha256);
	free(file->link_target);
}

void ks_header_clear(struct ks_header *header)
{
	clear_deps(header->provides, header->n_provides);
	clear_deps(header->requires, header->n_requires);
	clear_deps(header->recommends, header->n_recommends);
	for (size_t i = 0; i < header->n_files; i++)
		clear_file(&header->files[i]);
	free(header->files);
	header->provides = header->requires = header->recommends = NULL;
	header->files = NULL;
	header->n_provides = header->n_requires = header->n_recommends = 0;
	header->n_files = 0;
}

/* --- order */

static int compare_deps(const void *a, const void *b)
{
	const struct ks_header_dep *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	if (!order)
		order = strcmp(left->evr ? left->evr : "", right->evr ? right->evr : "");
	return order ? order
		     : (left->flags > right->flags) - (left->flags < right->flags);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct ks_header_file *)a)->path,
		      ((const struct ks_header_file *)b)->path);
}

static size_t settle_deps(struct ks_header_dep *deps, size_t n_deps)
{
	size_t kept = 0;

	if (n_deps)
		qsort(deps, n_deps, sizeof(*deps), compare_deps);
	for (size_t i = 0; i < n_deps; i++) {
		if (kept && compare_deps(&deps[kept - 1], &deps[i]) == 0) {
			free(deps[i].name);
			free(deps[i].evr);
		} else {
			deps[kept++] = deps[i];
		}
	}
	return kept;
}

static size_t settle_files(struct ks_header_file *files, size_t n_files)
{
	size_t kept = 0;

	if (n_files)
		qsort(files, n_files, sizeof(*files), compare_files);
	for (size_t i = 0; i < n_files; i++) {
		if (kept && compare_files(&files[kept - 1], &files[i]) == 0)
			clear_file(&files[i]);
		else
			files[kept++] = files[i];
	}
	return kept;
}

/* --- tags */

static bool put_text(Header h, rpmTagVal tag, const char *text)
{
	return headerPutString(h, tag, text) != 0;
}

static bool put_number(Header h, rpmTagVal tag, uint32_t number)
{
	return headerPutUint32(h, tag, &number, 1) != 0;
}

static bool put_identity(Header h, const struct ks_header *from)
{
	char source[1024];

	/* without SOURCERPM it would count as a source package */
	snprintf(source, sizeof(source), "%s-%s-%s.src.rpm", from->name, from->version,
		 from->release);
	return put_text(h, RPMTAG_NAME, from->name) &&
	       put_text(h, RPMTAG_VERSION, from->version) &&
	       put_text(h, RPMTAG_RELEASE, from->release) &&
	       headerAddI18NString(h, RPMTAG_SUMMARY, from->summary, "C") &&
	       headerAddI18NString(h, RPMTAG_DESCRIPTION, from->description, "C") &&
	       headerAddI18NString(h, RPMTAG_GROUP, "System Environment/Kernel", "C") &&
	       put_number(h, RPMTAG_BUILDTIME, (uint32_t)from->build_time) &&
	       put_text(h, RPMTAG_BUILDHOST, "localhost") &&
	       (!from->vendor || put_text(h, RPMTAG_VENDOR, from->vendor)) &&
	       put_text(h, RPMTAG_LICENSE, from->licence) &&
	       (!from->packager || put_text(h, RPMTAG_PACKAGER, from->packager)) &&
	       put_text(h, RPMTAG_OS, "linux") && put_text(h, RPMTAG_ARCH, from->arch) &&
	       put_text(h, RPMTAG_SOURCERPM, source) &&
	       put_text(h, RPMTAG_ENCODING, "utf-8") &&
	       (!from->cookie || put_text(h, RPMTAG_COOKIE, from->cookie));
}

static bool put_script(Header h, rpmTagVal script_tag, rpmTagVal program_tag,
		       const char *script)
{
	return !script ||
	       (put_text(h, script_tag, script) && put_text(h, program_tag, "/bin/sh"));
}

static bool put_deps(Header h, const struct ks_header_dep *deps, size_t n_deps,
		     rpmTagVal name_tag, rpmTagVal version_tag, rpmTagVal flags_tag)
{
	const char **names = calloc(n_deps + 1, sizeof(*names));
	const char **versions = calloc(n_deps + 1, sizeof(*versions));
	uint32_t *flags = calloc(n_deps + 1, sizeof(*flags));
	bool ok = names && versions && flags;

	for (size_t i = 0; ok && i < n_deps; i++) {
		names[i] = deps[i].name;
		versions[i] = deps[i].evr ? deps[i].evr : "";
		flags[i] = deps[i].flags;
	}
	if (ok && n_deps)
		ok = headerPutStringArray(h, name_tag, names, (rpm_count_t)n_deps) &&
		     headerPutStringArray(h, version_tag, versions,
					  (rpm_count_t)n_deps) &&
		     headerPutUint32(h, flags_tag, flags, (rpm_count_t)n_deps);
	free(names);
	free(versions);
	free(flags);
	return ok;
}

/* The directory's index among those put so far; the files are sorted, not the
 * directories. */
static bool put_directory(Header h, const char **dirs, size_t *n_dirs, const char *path,
			  size_t length, uint32_t *index)
{
	char *dir;

	for (size_t i = *n_dirs; i-- > 0;) {
		if (strlen(dirs[i]) != length || strncmp(dirs[i], path, length) != 0)
			continue;
		*index = (uint32_t)i;
		return true;
	}
	dir = strndup(path, length);
	if (!dir)
		return false;
	*index = (uint32_t)*n_dirs;
	dirs[(*n_dirs)++] = dir;
	return put_text(h, RPMTAG_DIRNAMES, dir);
}

static bool put_file(Header h, const struct ks_header_file *file, uint32_t inode,
		     uint32_t directory)
{
	const char *name = strrchr(file->path, '/') + 1;
	/* a directory's is what most file systems say; rpm -V does not look */
	uint32_t size = S_ISDIR(file->mode) ? 4096 : (uint32_t)file->size_bytes;
	uint32_t link_bytes = (uint32_t)strlen(file->link_target);
	uint16_t mode = (uint16_t)file->mode, device_type = 0;

	return put_text(h, RPMTAG_BASENAMES, name) &&
	       put_number(h, RPMTAG_DIRINDEXES, directory) &&
	       put_number(h, RPMTAG_FILESIZES, S_ISLNK(file->mode) ? link_bytes : size) &&
	       headerPutUint16(h, RPMTAG_FILEMODES, &mode, 1) &&
	       headerPutUint16(h, RPMTAG_FILERDEVS, &device_type, 1) &&
	       put_number(h, RPMTAG_FILEMTIMES, (uint32_t)file->mtime) &&
	       put_text(h, RPMTAG_FILEDIGESTS, file->sha256) &&
	       put_text(h, RPMTAG_FILELINKTOS, file->link_target) &&
	       put_number(h, RPMTAG_FILEFLAGS, 0) &&
	       put_text(h, RPMTAG_FILEUSERNAME, "root") &&
	       put_text(h, RPMTAG_FILEGROUPNAME, "root") &&
	       put_number(h, RPMTAG_FILEDEVICES, 1) &&
	       put_number(h, RPMTAG_FILEINODES, inode) &&
	       put_text(h, RPMTAG_FILELANGS, "") &&
	       put_number(h, RPMTAG_FILEVERIFYFLAGS, UINT32_MAX);
}

static bool put_files(Header h, const struct ks_header *from)
{
	const char **dirs = calloc(from->n_files + 1, sizeof(*dirs));
	size_t n_dirs = 0;
	uint64_t total = 0;
	bool ok = dirs != NULL;

	for (size_t i = 0; ok && i < from->n_files; i++) {
		const struct ks_header_file *file = &from->files[i];
		uint32_t directory = 0;

		total += S_ISREG(file->mode) ? file->size_bytes : 0;
		ok = put_directory(h, dirs, &n_dirs, file->path,
				   (size_t)(strrchr(file->path, '/') + 1 - file->path),
				   &directory) &&
		     put_file(h, file, (uint32_t)i + 1, directory);
	}
	while (n_dirs)
		free((char *)dirs[--n_dirs]);
	free(dirs);
	return ok && total <= UINT32_MAX && put_number(h, RPMTAG_SIZE, (uint32_t)total) &&
	       (!from->n_files || put_number(h, RPMTAG_FILEDIGESTALGO, KS_HASH_SHA256));
}

static bool add_own_deps(struct ks_header *header)
{
	char evr[512];

	snprintf(evr, sizeof(evr), "%s-%s", header->version, header->release);
	return ks_header_add_provides(header, header->name, evr, RPMSENSE_EQUAL);
}

static bool put_all(Header h, const struct ks_header *header)
{
	return put_identity(h, header) &&
	       put_script(h, RPMTAG_POSTIN, RPMTAG_POSTINPROG, header->post) &&
	       put_script(h, RPMTAG_PREUN, RPMTAG_PREUNPROG, header->preun) &&
	       put_script(h, RPMTAG_POSTUN, RPMTAG_POSTUNPROG, header->postun) &&
	       put_deps(h, header->provides, header->n_provides, RPMTAG_PROVIDENAME,
			RPMTAG_PROVIDEVERSION, RPMTAG_PROVIDEFLAGS) &&
	       put_deps(h, header->requires, header->n_requires, RPMTAG_REQUIRENAME,
			RPMTAG_REQUIREVERSION, RPMTAG_REQUIREFLAGS) &&
	       put_deps(h, header->recommends, header->n_recommends, RPMTAG_RECOMMENDNAME,
			RPMTAG_RECOMMENDVERSION, RPMTAG_RECOMMENDFLAGS) &&
	       put_files(h, header);
}

static void settle(struct ks_header *header)
{
	header->n_provides = settle_deps(header->provides, header->n_provides);
	header->n_requires = settle_deps(header->requires, header->n_requires);
	header->n_recommends = settle_deps(header->recommends, header->n_recommends);
	header->n_files = settle_files(header->files, header->n_files);
}

/* The parts of a header of a package file that describe what follows it. */
struct payload {
	const char *level;
	const char *sha256; /* NULL: not known yet */
};

static bool put_payload(Header h, const struct payload *payload)
{
	return put_text(h, RPMTAG_PAYLOADFORMAT, "cpio") &&
	       put_text(h, RPMTAG_PAYLOADCOMPRESSOR, "gzip") &&
	       put_text(h, RPMTAG_PAYLOADFLAGS, payload->level) &&
	       (!payload->sha256 ||
		(put_text(h, KS_TAG_PAYLOADDIGEST, payload->sha256) &&
		 put_number(h, KS_TAG_PAYLOADDIGESTALGO, KS_HASH_SHA256)));
}

static Header build(struct ks_header *header, const struct payload *payload,
		    struct ks_why *why)
{
	Header h = headerNew();
	bool ok = h && add_own_deps(header);

	if (ok) {
		settle(header);
		ok = put_all(h, header) && (!payload || put_payload(h, payload));
	}
	if (ok)
		h = headerReload(h, RPMTAG_HEADERIMMUTABLE);
	if (ok && h)
		return h;
	headerFree(h);
	ks_why_set(why, "rpm does not take the description of '%s'", header->name);
	return NULL;
}

Header ks_header_build(struct ks_header *header, struct ks_why *why)
{
	return build(header, NULL, why);
}

Header ks_header_build_for_file(struct ks_header *header, const char *level,
				const char *payload_sha256, struct ks_why *why)
{
	const struct payload payload = {level, payload_sha256};

	return build(header, &payload, why);
}

char *ks_header_digest(Header h, int algorithm)
{
	unsigned int size_bytes = 0;
	void *blob = headerExport(h, &size_bytes);
	DIGEST_CTX digest = blob ? rpmDigestInit(algorithm, 0) : NULL;
	void *text = NULL;

	if (digest) {
		rpmDigestUpdate(digest, ks_header_magic, KS_HEADER_MAGIC_BYTES);
		rpmDigestUpdate(digest, blob, size_bytes);
		rpmDigestFinal(digest, &text, NULL, 1);
	}
	free(blob);
	return text;
}

bool ks_header_mark_installed(Header h, size_t n_files, rpm_tid_t tid, struct ks_why *why)
{
	char *sha1 = ks_header_digest(h, KS_HASH_SHA1);
	char *sha256 = ks_header_digest(h, KS_HASH_SHA256);
	/* RPMFILE_STATE_NORMAL is 0 */
	char *states = calloc(1, n_files + 1);
	bool ok = sha1 && sha256 && states && put_text(h, RPMTAG_SHA1HEADER, sha1) &&
		  put_text(h, RPMTAG_SHA256HEADER, sha256) &&
		  put_number(h, RPMTAG_INSTALLTIME, (uint32_t)time(NULL)) &&
		  put_number(h, RPMTAG_INSTALLTID, (uint32_t)tid) &&
		  put_number(h, RPMTAG_INSTALLCOLOR, 0) &&
		  (!n_files ||
		   headerPutChar(h, RPMTAG_FILESTATES, states, (rpm_count_t)n_files));

	free(sha1);
	free(sha256);
	free(states);
	return ok || ks_why_set(why, "rpm does not take the description of a record");
}

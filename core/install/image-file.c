/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel's files say of themselves. Anybody may have written them. */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "core/install/image-private.h"

#define MAX_NAME_BYTES	256
#define MAX_PE_SECTIONS 96

char *ks_image_read_word(const struct ks_system *system, const char *path)
{
	g_autofree char *text =
		ks_root_read_file(system->root, path, MAX_NAME_BYTES, NULL, NULL);

	if (!text)
		return NULL;
	text[strcspn(text, " \t\n")] = '\0';
	return *text && *text != '.' && !strchr(text, '/') ? g_steal_pointer(&text)
							   : NULL;
}

static char *find_of_package(const struct ks_system *system,
			     const struct ks_kernel *kernel)
{
	g_autofree char *path = g_build_filename(kernel->modules_dir, "pkgbase", NULL);
	g_autofree char *package = ks_image_read_word(system, path);

	return package ? g_strconcat("/boot/vmlinuz-", package, NULL) : NULL;
}

char *ks_image_find_vmlinuz(const struct ks_system *system,
			    const struct ks_kernel *kernel)
{
	char *candidates[] = {
		g_build_filename(kernel->modules_dir, "vmlinuz", NULL),
		g_build_filename(kernel->modules_dir, "Image", NULL),
		g_strconcat("/boot/vmlinuz-", kernel->release, NULL),
		g_strconcat("/boot/vmlinux-", kernel->release, NULL),
		g_strconcat("/boot/Image-", kernel->release, NULL),
		g_strconcat("/boot/kernel-", kernel->release, NULL),
		find_of_package(system, kernel),
	};
	char *found = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++) {
		if (!found && candidates[i] &&
		    ks_root_exists(system->root, candidates[i]))
			found = candidates[i];
		else
			g_free(candidates[i]);
	}
	return found;
}

/* --- numbers and texts at an offset of a file; all are little-endian */

static bool read_at(int fd, void *data, size_t size_bytes, off_t offset)
{
	return pread(fd, data, size_bytes, offset) == (ssize_t)size_bytes;
}

static guint16 get_16(const guint8 *data)
{
	return (guint16)(data[0] | data[1] << 8);
}

static guint32 get_32(const guint8 *data)
{
	return get_16(data) | (guint32)get_16(data + 2) << 16;
}

/* The first word of at most max_bytes there, fit to be a kernel's release; or NULL. */
static char *read_release_at(int fd, off_t offset, size_t max_bytes)
{
	char text[MAX_NAME_BYTES];
	ssize_t n = pread(fd, text, MIN(max_bytes, sizeof(text) - 1), offset);

	if (n <= 0)
		return NULL;
	text[n] = '\0';
	text[strcspn(text, " \t\n")] = '\0';
	return g_ascii_isdigit(*text) && !strchr(text, '/') ? g_strdup(text) : NULL;
}

static char *read_bzimage(int fd)
{
	enum { SETUP_AT = 0x200, MAGIC_AT = 0x202, VERSION_AT = 0x20e };
	guint8 magic[4], version[2];

	if (!read_at(fd, magic, sizeof(magic), MAGIC_AT) ||
	    memcmp(magic, "HdrS", 4) != 0 ||
	    !read_at(fd, version, sizeof(version), VERSION_AT) || !get_16(version))
		return NULL;
	return read_release_at(fd, SETUP_AT + get_16(version), MAX_NAME_BYTES);
}

/* PE/COFF: the header's offset is at 60; sections of 40 bytes follow the optional header. */
static char *read_uki(int fd)
{
	enum {
		OFFSET = 60,
		N_SECTIONS = 6,
		SIZE_OPTIONAL = 20,
		HEADER = 24,
		SECTION = 40
	};
	guint8 at[4], header[HEADER], section[SECTION];
	off_t offset;
	guint n_sections;

	if (!read_at(fd, at, sizeof(at), OFFSET) ||
	    !read_at(fd, header, sizeof(header), get_32(at)) ||
	    memcmp(header, "PE\0\0", 4) != 0)
		return NULL;
	offset = (off_t)get_32(at) + HEADER + get_16(header + SIZE_OPTIONAL);
	n_sections = MIN(get_16(header + N_SECTIONS), MAX_PE_SECTIONS);
	for (guint i = 0; i < n_sections; i++) {
		if (!read_at(fd, section, sizeof(section), offset + (off_t)i * SECTION))
			return NULL;
		/* its size in memory is that of the text, its size in the file is padded */
		if (memcmp(section, ".uname\0", 8) == 0)
			return read_release_at(fd, get_32(section + 20),
					       get_32(section + 8));
	}
	return NULL;
}

char *ks_image_file_release(const struct ks_system *system, const char *path)
{
	ks_autofd int fd = -1;
	struct stat st;
	char *release;

	/* opening something else than a file could wait for ever */
	if (!ks_root_stat(system->root, path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	fd = ks_root_openat(system->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
			    NULL);
	if (fd < 0)
		return NULL;
	/* a kernel with a stub is both, and its setup header counts */
	release = read_bzimage(fd);
	return release ? release : read_uki(fd);
}

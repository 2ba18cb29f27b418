/*
 * A disk that is watched and can be made to fail, loaded in front of the C library of the program under test.
 *
 * Every change of the database and of its log is written down in the order in which it was made, and so is every flush:
 * when it was asked for and when it was done. While a file named "fails" is there, flushes fail as they do on a broken disk:
 * the system takes what it could not write for written, and later reads what the disk has there, which here is zeros.
 * HERALD_WATCHED names the data directory, HERALD_WATCHER the directory of the record and of that file.
 *
 * An entry of the record is its kind, the file ('d'atabase, 'l'og, or the directory '/'), a number, a length and so many
 * bytes: 'w'rite at the number, 't'runcate to it, 'c'reate, 'u'nlink, and 'b'egin and 'e'nd of the flush of that number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 65536

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t begun = PTHREAD_ONCE_INIT;
static char watched[PATH_MAX], fails[PATH_MAX];
static int record = -1;
static uint64_t flushes;
/* What was written since the last flush, in order; what a flush that failed has lost; and how much was flushed in all. */
struct range {
	off_t at;
	size_t length;
};
struct ranges {
	struct range *all;
	size_t count, room;
};
static struct ranges unflushed[2], lost[2];
static size_t flushed[2];
/* What each open file is, or 0. */
static char files[FILES_MAX];

static void begin(void)
{
	const char *data = getenv("HERALD_WATCHED"), *watcher = getenv("HERALD_WATCHER");
	char path[PATH_MAX];
	if (data == NULL || watcher == NULL)
		abort();
	snprintf(watched, sizeof watched, "%s", data);
	snprintf(fails, sizeof fails, "%s/fails", watcher);
	snprintf(path, sizeof path, "%s/record", watcher);
	record = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
	if (record < 0)
		abort();
}

static char kind_of(const char *path)
{
	size_t length;
	pthread_once(&begun, begin);
	length = strlen(watched);
	if (strncmp(path, watched, length) != 0)
		return 0;
	path += length;
	if (*path == 0)
		return '/';
	if (strcmp(path, "/herald.db") == 0)
		return 'd';
	return strcmp(path, "/herald.db-wal") == 0 ? 'l' : 0;
}

static char file_of(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? files[fd] : 0;
}

/* The caller has its turn. */
static void note(char what, char file, uint64_t number, const void *bytes, uint32_t length)
{
	unsigned char head[14] = { what, file };
	struct iovec parts[2] = { { head, sizeof head }, { (void *)bytes, length } };
	memcpy(head + 2, &number, 8);
	memcpy(head + 10, &length, 4);
	if (syscall(SYS_writev, record, parts, length > 0 ? 2 : 1) != (long)(sizeof head + length))
		abort();
}

static void add(struct ranges *ranges, off_t at, size_t length)
{
	if (ranges->count == ranges->room) {
		ranges->room = 2 * ranges->room + 64;
		ranges->all = realloc(ranges->all, ranges->room * sizeof *ranges->all);
		if (ranges->all == NULL)
			abort();
	}
	ranges->all[ranges->count++] = (struct range) { at, length };
}

/* The flush of a file has failed. The caller has its turn. */
static void lose(int which)
{
	for (size_t n = 0; n < unflushed[which].count; n++)
		add(&lost[which], unflushed[which].all[n].at, unflushed[which].all[n].length);
	flushed[which] += unflushed[which].count;
	unflushed[which].count = 0;
}

/*
 * What was lost is read from the disk again. The caller has its turn. The file is opened anew, for it may be open for reading
 * only, and stays open, for closing it would let go of the process's locks on it.
 */
static void forget(int fd, int which)
{
	static const char zeros[65536];
	char path[64];
	int writable;
	if (lost[which].count == 0)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	writable = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	for (size_t n = 0; n < lost[which].count; n++) {
		struct range range = lost[which].all[n];
		if (range.length > sizeof zeros || syscall(SYS_pwrite64, writable, zeros, range.length, range.at) < 0)
			abort();
		note('w', file_of(fd), range.at, zeros, range.length);
	}
	lost[which].count = 0;
}

static int open_watched(int at, const char *path, int flags, mode_t mode)
{
	char file = kind_of(path);
	int fd, is_new;
	if (file == 0)
		return syscall(SYS_openat, at, path, flags, mode);
	pthread_mutex_lock(&turn);
	is_new = syscall(SYS_faccessat, at, path, F_OK) != 0;
	fd = syscall(SYS_openat, at, path, flags, mode);
	if (fd >= 0 && fd < FILES_MAX) {
		files[fd] = file;
		if (is_new)
			note('c', file, 0, NULL, 0);
		else if (flags & O_TRUNC)
			note('t', file, 0, NULL, 0);
	}
	pthread_mutex_unlock(&turn);
	return fd;
}

#define OPEN(name, parameters, at)                                  \
	int name parameters                                         \
	{                                                           \
		va_list more;                                       \
		mode_t mode = 0;                                    \
		va_start(more, flags);                              \
		if (flags & (O_CREAT | __O_TMPFILE))                \
			mode = va_arg(more, mode_t);                \
		va_end(more);                                       \
		return open_watched(at, path, flags, mode);         \
	}
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

int close(int fd)
{
	if (file_of(fd))
		files[fd] = 0;
	return syscall(SYS_close, fd);
}

static ssize_t write_watched(int fd, const void *bytes, size_t length, off_t at)
{
	ssize_t done;
	pthread_mutex_lock(&turn);
	if (at < 0)
		at = lseek(fd, 0, SEEK_CUR);
	done = syscall(SYS_pwrite64, fd, bytes, length, at);
	if (done > 0) {
		note('w', file_of(fd), at, bytes, done);
		add(&unflushed[file_of(fd) == 'l'], at, done);
	}
	pthread_mutex_unlock(&turn);
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	return file_of(fd) ? write_watched(fd, bytes, length, at) : syscall(SYS_pwrite64, fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	return pwrite(fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	ssize_t done;
	if (!file_of(fd))
		return syscall(SYS_write, fd, bytes, length);
	done = write_watched(fd, bytes, length, -1);
	if (done > 0)
		lseek(fd, done, SEEK_CUR);
	return done;
}

int ftruncate(int fd, off_t length)
{
	int done;
	pthread_mutex_lock(&turn);
	done = syscall(SYS_ftruncate, fd, length);
	if (done == 0 && file_of(fd))
		note('t', file_of(fd), length, NULL, 0);
	pthread_mutex_unlock(&turn);
	return done;
}

int ftruncate64(int fd, off64_t length)
{
	return ftruncate(fd, length);
}

int unlink(const char *path)
{
	int done;
	pthread_mutex_lock(&turn);
	done = syscall(SYS_unlink, path);
	if (done == 0 && kind_of(path))
		note('u', kind_of(path), 0, NULL, 0);
	pthread_mutex_unlock(&turn);
	return done;
}

static int flush(int fd, long how)
{
	char file = file_of(fd);
	int which = file == 'l', done;
	uint64_t number;
	size_t sure;
	if (file == 0)
		return syscall(how, fd);
	pthread_mutex_lock(&turn);
	if (syscall(SYS_faccessat, AT_FDCWD, fails, F_OK) == 0) {
		if (file != '/')
			lose(which);
		pthread_mutex_unlock(&turn);
		errno = EIO;
		return -1;
	}
	if (file != '/')
		forget(fd, which);
	number = ++flushes;
	sure = flushed[which] + unflushed[which].count;
	note('b', file, number, NULL, 0);
	pthread_mutex_unlock(&turn);
	done = syscall(how, fd);
	pthread_mutex_lock(&turn);
	if (done == 0) {
		note('e', file, number, NULL, 0);
		if (file != '/' && sure > flushed[which]) {
			struct ranges *ranges = &unflushed[which];
			size_t count = sure - flushed[which];
			ranges->count -= count;
			memmove(ranges->all, ranges->all + count, ranges->count * sizeof *ranges->all);
			flushed[which] = sure;
		}
	}
	pthread_mutex_unlock(&turn);
	return done;
}

int fsync(int fd)
{
	return flush(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return flush(fd, SYS_fdatasync);
}

/*
 * A disk that is watched and can be made to fail, loaded in front of the C library of the program under test.
 *
 * Every change of the database and of its log is written down in the order in which it was made, and so is every flush:
 * when it was asked for and when it was done. While a file named "fails" is there, flushes fail as they do on a broken disk.
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
	if (done > 0)
		note('w', file_of(fd), at, bytes, done);
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
	uint64_t number;
	int done;
	if (file == 0)
		return syscall(how, fd);
	if (syscall(SYS_faccessat, AT_FDCWD, fails, F_OK) == 0) {
		errno = EIO;
		return -1;
	}
	pthread_mutex_lock(&turn);
	number = ++flushes;
	note('b', file, number, NULL, 0);
	pthread_mutex_unlock(&turn);
	done = syscall(how, fd);
	if (done == 0) {
		pthread_mutex_lock(&turn);
		note('e', file, number, NULL, 0);
		pthread_mutex_unlock(&turn);
	}
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

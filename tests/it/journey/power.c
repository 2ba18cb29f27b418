/*
 * What a disk is sure to hold: beside each file of a database, a copy of what it held when the program last asked for it
 * to be made durable and was told that it is. Loaded into the program in front of the C library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A slow disk: whoever does not wait for it is caught. */
#define SLOW_MICROS 10000

static int is_kept(int fd, char *path, size_t size)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, size - 16);
	if (length < 0)
		return 0;
	path[length] = 0;
	return strstr(path, "/herald.db") != NULL;
}

static void copy(int fd, const char *to)
{
	char bytes[65536];
	ssize_t length;
	off_t at = 0;
	int out = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	while ((length = pread(fd, bytes, sizeof bytes, at)) > 0) {
		if (write(out, bytes, length) != length)
			abort();
		at += length;
	}
	close(out);
}

static int durable(int fd, long how)
{
	char path[4096], unsure[4200], sure[4200];
	int kept = is_kept(fd, path, sizeof path);
	if (kept) {
		/* What is written while this goes on is not promised. */
		snprintf(unsure, sizeof unsure, "%s.unsure.%d", path, (int)syscall(SYS_gettid));
		snprintf(sure, sizeof sure, "%s.sure", path);
		copy(fd, unsure);
		usleep(SLOW_MICROS);
	}
	int done = syscall(how, fd);
	if (kept && done == 0 && rename(unsure, sure) != 0)
		abort();
	return done;
}

int fsync(int fd)
{
	return durable(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return durable(fd, SYS_fdatasync);
}

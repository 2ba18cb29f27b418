/*
 * What a disk is sure to hold: beside each file of a database, a copy of what it held when the program last asked for it
 * to be made durable and was told that it is. Loaded into the program in front of the C library.
 *
 * While there is a file whose name ends in .hang beside it, making that file durable does not end; one that ends in .wait
 * holds up only the thread that copies the log, which would make durable what nobody has waited for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Held while a copy is made: what is written later is not promised, and must not be in it by chance. */
static pthread_mutex_t still = PTHREAD_MUTEX_INITIALIZER;

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

static void hang(const char *path)
{
	char order[4200], sign[4200], thread[16] = "";
	prctl(PR_GET_NAME, thread);
	if (strcmp(thread, "checkpointer") == 0) {
		snprintf(order, sizeof order, "%s.wait", path);
		while (access(order, F_OK) == 0)
			usleep(1000);
	}
	snprintf(order, sizeof order, "%s.hang", path);
	snprintf(sign, sizeof sign, "%s.hangs", path);
	while (access(order, F_OK) == 0) {
		close(open(sign, O_CREAT | O_WRONLY, 0600));
		usleep(1000);
	}
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

/* Two threads may ask for the same file: the copy that was begun later is what the disk is sure of. */
static long copies, sure_of[2];

static int durable(int fd, long how)
{
	char path[4096] = "", unsure[4200], sure[4200];
	long copied = 0;
	int kept = is_kept(fd, path, sizeof path);
	int log = strstr(path, "-wal") != NULL;
	if (kept) {
		snprintf(unsure, sizeof unsure, "%s.unsure.%d", path, (int)syscall(SYS_gettid));
		snprintf(sure, sizeof sure, "%s.sure", path);
		pthread_mutex_lock(&still);
		copy(fd, unsure);
		copied = ++copies;
		pthread_mutex_unlock(&still);
		hang(path);
	}
	int done = syscall(how, fd);
	if (kept && done == 0) {
		pthread_mutex_lock(&still);
		if (copied > sure_of[log]) {
			sure_of[log] = copied;
			if (rename(unsure, sure) != 0)
				abort();
		}
		pthread_mutex_unlock(&still);
	}
	return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	pthread_mutex_lock(&still);
	ssize_t done = syscall(SYS_pwrite64, fd, bytes, count, at);
	pthread_mutex_unlock(&still);
	return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	return pwrite(fd, bytes, count, at);
}

int fsync(int fd)
{
	return durable(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return durable(fd, SYS_fdatasync);
}

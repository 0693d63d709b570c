/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/**
 * @file
 * Keys of those who may ask, with their roles. They are in a file of a line each:
 *
 *   NAME ROLE EXPIRES QUOTA HASH
 *   NAME ROLE EXPIRES QUOTA certificate
 *
 * EXPIRES is the last day, QUOTA how many requests a day, "-" for none. HASH is the SHA-256 of the key. A key
 * is 256 random bits, so whoever has the file has nothing to guess, and neither salt nor a slow hash would
 * add anything: these are for words that people choose. The second form is for who shows a certificate with
 * this Common Name, signed by the CA for clients.
 *
 * Layer:   lib/http.
 * Threads: a struct http_keys is used by any; changes of the file by one process at a time (a lock file).
 */
#include <stdbool.h>
#include <stdint.h>

#define HTTP_KEY_SIZE      65 /**< 64 hexadecimal digits and a NUL */
#define HTTP_KEY_HASH_SIZE 32
#define HTTP_KEY_NAME_MAX  31
#define HTTP_KEYS_MAX      1024
#define HTTP_KEYS_FILE     "keys"
#define HTTP_NO_DAY        (-1)

/** Each may do what those before it may. */
enum http_role {
	HTTP_NOBODY,
	HTTP_METRICS, /**< counters */
	HTTP_PDNS,    /**< passive DNS, which has no clients */
	HTTP_LOG,     /**< responses of clients that are anonymous */
	HTTP_ANALYST, /**< filtered ones too, whose clients are whole */
	HTTP_ADMIN,   /**< deletion */
	HTTP_ROLES,
};

/** "metrics". */
const char *http_role_name(enum http_role role);

/** @return the role, or -EINVAL */
int http_role_parse(const char *name);

struct http_key {
	char name[HTTP_KEY_NAME_MAX + 1];
	enum http_role role;
	int expires;    /**< last day, as list_day_parse has it; HTTP_NO_DAY: none */
	uint64_t quota; /**< requests a day; 0: any number */
	bool certificate; /**< a certificate of this name is the key; then the hash is all 0, and means nothing */
	uint8_t hash[HTTP_KEY_HASH_SIZE];
};

/** Read all keys of a folder. @param keys [out] free() it  @return how many, or -errno, logged */
int http_keys_read(const char *folder, struct http_key **keys);

/**
 * Make a key and add it to the file, which is made if need be: mode 0600, of the folder's owner.
 *
 * @param key  its hash is written by this
 * @param text [out] the key; nowhere else. "" for a certificate
 * @return 0, -EEXIST when the name is taken, -EINVAL when it is none (letters, digits, '-', '_', '.'), or
 *         -errno, logged
 */
int http_key_add(const char *folder, struct http_key *key, char text[HTTP_KEY_SIZE]);

/** @return 0, -ENOENT when there is no such key, or -errno, logged */
int http_key_remove(const char *folder, const char *name);

/* ---- for a server ---- */

struct http_keys;

/** @return 0 or -errno, logged */
int http_keys_open(const char *folder, struct http_keys **keys);

void http_keys_close(struct http_keys *keys);

/** Read the file again if it has changed. One that cannot be read changes nothing, and is logged. */
void http_keys_refresh(struct http_keys *keys);

enum http_key_state {
	HTTP_KEY_GOOD,
	HTTP_KEY_UNKNOWN,  /**< or expired */
	HTTP_KEY_RATE,     /**< too many within a second */
	HTTP_KEY_QUOTA,    /**< no more today */
};

/**
 * Look for a key, and count this request.
 *
 * Takes the same time whichever key it is, and whether it is one.
 *
 * @param text   as given by the client
 * @param now_ms of a clock that does not jump
 * @param rate   requests a second at most
 * @param counts whether the request counts towards the quota
 * @param key    [out] with HTTP_KEY_UNKNOWN undefined
 */
enum http_key_state http_keys_check(struct http_keys *keys, const char *text, int64_t now_ms, unsigned rate,
	bool counts, struct http_key *key);

/** The same for who has shown a good certificate. @param name its Common Name */
enum http_key_state http_keys_check_certificate(struct http_keys *keys, const char *name, int64_t now_ms,
	unsigned rate, bool counts, struct http_key *key);

/** Count one more of a key. @return whether it was within the quota; a key that is there no more has none left */
bool http_keys_take(struct http_keys *keys, const struct http_key *key);

/** Role of a key as of now; HTTP_NOBODY: it is none any more. */
enum http_role http_keys_role(struct http_keys *keys, const struct http_key *key);

/** Requests of a key that counted today. */
uint64_t http_keys_used(struct http_keys *keys, const struct http_key *key);

#define HTTP_USAGE_FILE "usage"
#define HTTP_USAGE_S    10 /**< what counted since so many seconds may be forgotten by a crash */

/** Write what counted today, if HTTP_USAGE_S have passed or @p now. The file is read by http_keys_open. */
void http_keys_save(struct http_keys *keys, int64_t now_ms, bool now);

/* ---- rates ---- */

/** So many a second, and as many at once. All zero: full. */
struct http_rate {
	int64_t last_ms;
	double spent;
};

/** @return whether one more is within @p rate */
int http_rate_take(struct http_rate *rate, int64_t now_ms, unsigned each_second);

/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_failing.h"

#include <ngtcp2/ngtcp2_crypto.h>

static struct {
	enum failing kind;
	unsigned after;
} failing;

void failing_set(enum failing kind, unsigned after)
{
	failing.kind = kind;
	failing.after = after;
}

static bool fails(enum failing kind)
{
	if (kind != failing.kind || failing.after-- > 0)
		return false;
	failing.kind = FAILING_NONE;
	return true;
}

typeof(ngtcp2_crypto_encrypt_cb) __real_ngtcp2_crypto_encrypt_cb, __wrap_ngtcp2_crypto_encrypt_cb;
typeof(ngtcp2_crypto_decrypt_cb) __real_ngtcp2_crypto_decrypt_cb, __wrap_ngtcp2_crypto_decrypt_cb;
typeof(ngtcp2_crypto_hp_mask_cb) __real_ngtcp2_crypto_hp_mask_cb, __wrap_ngtcp2_crypto_hp_mask_cb;
typeof(ngtcp2_crypto_recv_crypto_data_cb) __real_ngtcp2_crypto_recv_crypto_data_cb,
	__wrap_ngtcp2_crypto_recv_crypto_data_cb;
typeof(ngtcp2_crypto_update_key_cb) __real_ngtcp2_crypto_update_key_cb,
	__wrap_ngtcp2_crypto_update_key_cb;
typeof(ngtcp2_crypto_get_path_challenge_data2_cb) __real_ngtcp2_crypto_get_path_challenge_data2_cb,
	__wrap_ngtcp2_crypto_get_path_challenge_data2_cb;

int __wrap_ngtcp2_crypto_encrypt_cb(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head)
{
	return fails(FAILING_ENCRYPT) ? NGTCP2_ERR_CALLBACK_FAILURE
				      : __real_ngtcp2_crypto_encrypt_cb(to, aead, key, bytes, n,
						nonce, n_nonce, head, n_head);
}

int __wrap_ngtcp2_crypto_decrypt_cb(uint8_t *to, const ngtcp2_crypto_aead *aead,
	const ngtcp2_crypto_aead_ctx *key, const uint8_t *bytes, size_t n, const uint8_t *nonce,
	size_t n_nonce, const uint8_t *head, size_t n_head)
{
	return fails(FAILING_DECRYPT) ? NGTCP2_ERR_CALLBACK_FAILURE
				      : __real_ngtcp2_crypto_decrypt_cb(to, aead, key, bytes, n,
						nonce, n_nonce, head, n_head);
}

int __wrap_ngtcp2_crypto_hp_mask_cb(uint8_t *to, const ngtcp2_crypto_cipher *cipher,
	const ngtcp2_crypto_cipher_ctx *key, const uint8_t *sample)
{
	return fails(FAILING_MASK) ? NGTCP2_ERR_CALLBACK_FAILURE
				   : __real_ngtcp2_crypto_hp_mask_cb(to, cipher, key, sample);
}

int __wrap_ngtcp2_crypto_recv_crypto_data_cb(ngtcp2_conn *ng, ngtcp2_encryption_level level,
	uint64_t offset, const uint8_t *bytes, size_t n, void *user)
{
	return fails(FAILING_HANDSHAKE) ? NGTCP2_ERR_CALLBACK_FAILURE
					: __real_ngtcp2_crypto_recv_crypto_data_cb(
						  ng, level, offset, bytes, n, user);
}

int __wrap_ngtcp2_crypto_update_key_cb(ngtcp2_conn *ng, uint8_t *rx_secret, uint8_t *tx_secret,
	ngtcp2_crypto_aead_ctx *rx, uint8_t *rx_iv, ngtcp2_crypto_aead_ctx *tx, uint8_t *tx_iv,
	const uint8_t *rx_now, const uint8_t *tx_now, size_t n, void *user)
{
	return fails(FAILING_UPDATE) ? NGTCP2_ERR_CALLBACK_FAILURE
				     : __real_ngtcp2_crypto_update_key_cb(ng, rx_secret, tx_secret,
					       rx, rx_iv, tx, tx_iv, rx_now, tx_now, n, user);
}

int __wrap_ngtcp2_crypto_get_path_challenge_data2_cb(
	ngtcp2_conn *ng, ngtcp2_path_challenge_data *data, void *user)
{
	return fails(FAILING_CHALLENGE)
		       ? NGTCP2_ERR_CALLBACK_FAILURE
		       : __real_ngtcp2_crypto_get_path_challenge_data2_cb(ng, data, user);
}

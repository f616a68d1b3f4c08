destra_test(client/test_client models_adversary LABELS unit)

destra_test(service/test_storage models_service m LABELS "unit;property")
destra_test(service/test_service_msg models_wire LABELS "unit;property")

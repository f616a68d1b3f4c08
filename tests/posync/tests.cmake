destra_test(posync/test_posync models_posync m LABELS "unit;property")
destra_test(posync/test_chances models_posync models_service m LABELS "unit;statistics")

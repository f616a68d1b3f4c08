# Against what others published, from ../shared: skipped where that is absent.  The quick ones are
# part of every run of the tests; `ctest -L published` has all.
function(destra_published_test name script)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS" ${ARGN})
  add_test(NAME published_${name}
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/published/${script}.py"
      "$<TARGET_FILE:destrasim>" "${DESTRA_SHARED}" ${T_UNPARSED_ARGUMENTS})
  set_tests_properties(published_${name} PROPERTIES LABELS "${T_LABELS}" SKIP_RETURN_CODE 77
    TIMEOUT "${T_TIMEOUT}")
endfunction()

if(TARGET destrasim)
  destra_published_test(adbench_small adbench --sets glass,WBC,Pima LABELS published TIMEOUT 120)
  destra_published_test(nab_knn nab --detectors knn LABELS published TIMEOUT 120)
  destra_published_test(adbench adbench LABELS "published;slow" TIMEOUT 900)
  destra_published_test(nab nab LABELS "published;slow" TIMEOUT 900)
endif()

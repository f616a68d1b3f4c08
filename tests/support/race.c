/* A detector of races, tested: `race` adds up without synchronisation, `barrier` with the barriers
 * that the kernel uses.  Under the tsan preset the first must be reported and the second not (it
 * would be where the tool archer is missing: libomp's own barriers are not instrumented). */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    long sum = 0, part[2] = {0, 0};
    int racing = argc > 1 && strcmp(argv[1], "race") == 0;
#pragma omp parallel num_threads(2)
    {
#pragma omp for schedule(static, 1)
        for (int i = 0; i < 2; i++)
            for (long n = 0; n < 100000; n++)
                *(racing ? &sum : &part[i]) += n;
#pragma omp master
        sum += part[0] + part[1];
    }
    printf("%ld\n", sum);
    return 0;
}

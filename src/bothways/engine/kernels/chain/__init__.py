"""Compiled sweeps over observed sequences of a Markov chain in continuous time.

One step is p = a' P(t) c with P(t) = exp(Qt), a >= 0 carried forward and c >= 0 carried backward. With Q = V diag(l) W,

    p = sum_k u_k exp(l_k t) v_k,            u = a'V,  v = Wc,
    D = W' [(u v') o Phi] V',                Phi_kl = int_0^t exp(l_k s + l_l (t - s)) ds,
    D_ab = int_0^t [a'P(s)]_a [P(t - s)c]_b ds,   dp/dq_ab = D_ab - D_aa   (transpose, never conjugate).

Where the eigenvectors are nearly dependent, or p is too small to survive cancellation, the block exponential of
Van Loan (1978) gives P and D together. There Q is shifted by its largest exit rate, so that every term is
non-negative and every entry keeps its relative precision.

Numba looks for changes in a kernel's own file alone: after a change of ``exponential.py`` clear the cache.
"""

# cython: language_level=3, boundscheck=False, wraparound=False
"""Many datagrams with one call of the kernel (recvmmsg(2)), which Python has no name for."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.errno cimport EINTR, errno
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, strlen

from logopsd.compiled.text cimport is_trailer

cdef extern from * nogil:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    """
    int AF_INET, AF_INET6, MSG_DONTWAIT
    struct iovec:
        void* iov_base
        size_t iov_len
    struct sockaddr_storage:
        unsigned short ss_family
    struct in_addr:
        unsigned int s_addr
    struct in6_addr:
        unsigned char s6_addr[16]
    struct sockaddr_in:
        in_addr sin_addr
    struct sockaddr_in6:
        in6_addr sin6_addr
    struct msghdr:
        void* msg_name
        unsigned int msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags, void* timeout)
    const char* inet_ntop(int family, const void* address, char* text, unsigned int size)

cdef enum:
    AT_ONCE = 64  # datagrams with one call of the kernel, at most
    ROOM = 16 << 20  # bytes for them; where each may be longer, there are fewer
    MOST_PEERS = 4096  # whose text is remembered; at that bound all are forgotten

cdef const unsigned char* MAPPED = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


cdef class DatagramReader:
    """Reads the datagrams of a socket.

    Args:
        fd: of the socket.
        size: the most bytes of a datagram; a longer one is cut there.

    Raises:
        MemoryError: there is no room for the buffers, of which the kernel gives memory only for
            what was ever written.
    """

    cdef int fd, slots
    cdef size_t size
    cdef unsigned char* data
    cdef mmsghdr* messages
    cdef iovec* vectors
    cdef sockaddr_storage* names
    cdef dict peers
    cdef unsigned char last[16]  # the address of the last peer
    cdef Py_ssize_t last_size
    cdef str last_peer

    def __cinit__(self, int fd, size_t size):
        cdef int number
        self.fd, self.size, self.peers, self.last_size = fd, size, {}, -1
        self.slots = <int>max(1, min(<size_t>AT_ONCE, <size_t>ROOM // max(size, <size_t>1)))
        self.data = <unsigned char*>calloc(self.slots, size)
        self.messages = <mmsghdr*>calloc(AT_ONCE, sizeof(mmsghdr))
        self.vectors = <iovec*>calloc(AT_ONCE, sizeof(iovec))
        self.names = <sockaddr_storage*>calloc(AT_ONCE, sizeof(sockaddr_storage))
        if not self.data or not self.messages or not self.vectors or not self.names:
            raise MemoryError
        for number in range(self.slots):
            self.vectors[number].iov_base = self.data + number * size
            self.vectors[number].iov_len = size
            self.messages[number].msg_hdr.msg_name = &self.names[number]
            self.messages[number].msg_hdr.msg_iov = &self.vectors[number]
            self.messages[number].msg_hdr.msg_iovlen = 1

    def __dealloc__(self):
        free(self.data)
        free(self.messages)
        free(self.vectors)
        free(self.names)

    def read(self, int most):
        """Read what the kernel holds, `most` at most, without waiting.

        Returns:
            The datagrams without CR, LF and NUL at their ends, the peer of each, and the number of
            the error that came behind them, 0 for none.
        """
        cdef list datagrams = []
        cdef list peers = []
        cdef int number, got, wanted
        cdef unsigned char* data
        cdef Py_ssize_t length
        while most > 0:
            wanted = min(most, self.slots)
            for number in range(wanted):
                self.messages[number].msg_hdr.msg_namelen = sizeof(sockaddr_storage)
            with nogil:
                got = recvmmsg(self.fd, self.messages, wanted, MSG_DONTWAIT, NULL)
            if got < 0:
                if errno == EINTR:
                    continue
                return datagrams, peers, errno
            for number in range(got):
                data = self.data + number * self.size
                length = min(<size_t>self.messages[number].msg_len, self.size)
                while length > 0 and is_trailer(data[length - 1]):
                    length -= 1
                datagrams.append(PyBytes_FromStringAndSize(<char*>data, length))
                peers.append(self.peer_of(number))
            if got < wanted:
                break
            most -= got
        return datagrams, peers, 0

    cdef str peer_of(self, int number):
        """The address of a peer as text, as `sockets.peer_of` gives it."""
        cdef sockaddr_storage* name = &self.names[number]
        cdef const unsigned char* address
        cdef Py_ssize_t size
        if self.messages[number].msg_hdr.msg_namelen == 0:
            return "unix"
        if name.ss_family == AF_INET:
            address = <const unsigned char*>&(<sockaddr_in*>name).sin_addr
            size = 4
        elif name.ss_family == AF_INET6:
            address = (<sockaddr_in6*>name).sin6_addr.s6_addr
            size = 16
            if memcmp(address, MAPPED, 12) == 0:
                address += 12
                size = 4
        else:
            return "unix"
        if size != self.last_size or memcmp(address, self.last, size) != 0:
            self.last_peer = self.text_of(address, size)
            memcpy(self.last, address, size)
            self.last_size = size
        return self.last_peer

    cdef str text_of(self, const unsigned char* address, Py_ssize_t size):
        cdef char text[64]
        cdef bytes key = PyBytes_FromStringAndSize(<const char*>address, size)
        found = self.peers.get(key)
        if found is None:
            inet_ntop(AF_INET if size == 4 else AF_INET6, address, text, sizeof(text))
            found = PyUnicode_DecodeASCII(text, strlen(text), NULL)
            if len(self.peers) >= MOST_PEERS:
                self.peers.clear()
            self.peers[key] = found
        return found

// The C# host of capabilities: serves one broker on stdio, and ends with it. See docs/capability-library.md for how it is
// compiled, with Mono or with .NET.
using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Switchyard.Host
{
    public static class Program
    {
        const int StandardOutput = 1;
        const int StandardError = 2;

        [DllImport("libc")]
        static extern int dup(int descriptor);

        [DllImport("libc")]
        static extern int dup2(int descriptor, int target);

        public static int Main()
        {
            // What a capability prints must not end up between the messages, in whatever way it prints.
            var messages = new DescriptorStream(dup(StandardOutput));
            dup2(StandardError, StandardOutput);
            Console.SetOut(Console.Error);
            var host = new CapabilityHost();
            new Session(Console.OpenStandardInput(), messages, host, host.Threads).Run();
            // Methods may still run on threads; the broker is gone, so nobody waits for them.
            Environment.Exit(0);
            return 0;
        }
    }

    /// <summary>Writes to a file descriptor; Mono's own streams only take those that it opened itself.</summary>
    sealed class DescriptorStream : Stream
    {
        readonly int descriptor;

        [DllImport("libc", SetLastError = true)]
        static extern unsafe IntPtr write(int descriptor, byte* bytes, UIntPtr size);

        public DescriptorStream(int descriptor) { this.descriptor = descriptor; }

        public override unsafe void Write(byte[] buffer, int offset, int count)
        {
            fixed (byte* bytes = buffer)
            {
                while (count > 0)
                {
                    var written = (int)write(descriptor, bytes + offset, (UIntPtr)(uint)count);
                    if (written <= 0) throw new IOException("the broker does not read any more");
                    offset += written;
                    count -= written;
                }
            }
        }

        public override void Flush() { }
        public override bool CanRead { get { return false; } }
        public override bool CanSeek { get { return false; } }
        public override bool CanWrite { get { return true; } }
        public override long Length { get { throw new NotSupportedException(); } }
        public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
        public override int Read(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
        public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
        public override void SetLength(long value) { throw new NotSupportedException(); }
    }
}
